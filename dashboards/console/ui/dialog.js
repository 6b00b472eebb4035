// Dialogs: take the focus, keep it, give it back; Escape closes; what is behind is out of reach.
import { html, useId, useLayoutEffect, useRef } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { captured, composing } from "../keys.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

const FOCUSABLE = 'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex="-1"])';

/** Holds the focus inside an element while the component lives. @param {any} ref @param {() => void} [onEscape] */
export function useFocusTrap(ref, onEscape) {
  const escape = useRef(onEscape);
  escape.current = onEscape;
  // Before the next stroke can arrive.
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement|null} */ (document.activeElement);
    const inside = () => /** @type {HTMLElement[]} */ ([...ref.current.querySelectorAll(FOCUSABLE)]).filter((element) => element.offsetParent !== null);
    captured.value += 1;
    (inside().find((element) => element.matches("input, textarea, select")) ?? inside()[0])?.focus();
    const key = (/** @type {KeyboardEvent} */ event) => {
      if (composing(event)) return;
      if (event.key === "Escape" && escape.current) {
        event.stopPropagation();
        escape.current();
      }
      if (event.key === "Tab") wrap(event, inside());
    };
    const element = ref.current;
    element.addEventListener("keydown", key);
    return () => {
      element.removeEventListener("keydown", key);
      captured.value -= 1;
      if (before?.isConnected) before.focus();
    };
  }, []);
}

/** @param {KeyboardEvent} event @param {HTMLElement[]} inside */
function wrap(event, inside) {
  const edge = event.shiftKey ? inside[0] : inside[inside.length - 1];
  if (inside.length > 0 && document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? inside[inside.length - 1] : inside[0])?.focus();
}

/** @param {{title: string, onClose: () => void, children?: any, foot?: any, size?: "l", onSubmit?: () => void}} props */
export function Dialog({ title, onClose, children, foot, size, onSubmit }) {
  const ref = useRef(null);
  const id = useId();
  useFocusTrap(ref, onClose);
  const outside = (/** @type {any} */ event) => event.target === event.currentTarget && onClose();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    onSubmit?.();
  };
  return html`<div class="scrim" onPointerDown=${outside}>
    <form class="dialog" data-size=${size} role="dialog" aria-modal="true" aria-labelledby=${id} ref=${ref} onSubmit=${submit} novalidate>
      <div class="dialog-head"><h2 id=${id}>${title}</h2><${Button} look="plain" size="s" label=${t("close")} onPress=${onClose}><${Icon} name="close" /><//></div>
      <div class="dialog-body">${children}</div>
      ${foot && html`<div class="dialog-foot">${foot}</div>`}
    </form>
  </div>`;
}
