// A secret that is shown this once: a device's password, a person's first one.
import { html, useState } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";

/** @param {{title: string, text: string, secret: string, onClose: () => void}} props `secret`: empty where the command was done before and
 *  nobody knows it any more */
export function Once({ title, text, secret, onClose }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(secret).then(() => setCopied(true), () => undefined);
  };
  if (secret === "") return html`<${Dialog} title=${title} onClose=${onClose} foot=${html`<${Button} look="main" onPress=${onClose}>${t("close")}<//>`}><p role="alert">${t("once-gone")}</p><//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${html`<${Button} onPress=${copy}>${copied ? t("copied") : t("copy")}<//><${Button} look="main" onPress=${onClose}>${t("once-kept")}<//>`}>
    <p>${text}</p><output class="secret id">${secret}</output><p class="small warn">${t("once-text")}</p><//>`;
}
