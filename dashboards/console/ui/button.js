// Buttons. What reaches the server is disabled while the line is gone, stays focusable and says why; what cannot be taken back
// is held down for a moment (with the keyboard as with the finger) or, by assistive technology, pressed twice.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { link } from "../link.js";

/** How long a button that asks to be held must be held, in milliseconds. The bar in style/ui.css takes as long. */
export const HOLD_MS = 900;
/** The second press of assistive technology must follow within, in milliseconds. */
const TWICE_MS = 4_000;

/** @typedef {{look?: "main"|"alarm"|"danger"|"plain", size?: "s"|"l", disabled?: boolean, busy?: boolean, online?: boolean, title?: string,
 *   onPress: () => void, children?: any, label?: string, type?: "button"|"submit", autofocus?: boolean, class?: string, id?: string, expanded?: boolean, popup?: string}} ButtonProps */

/** @param {ButtonProps} props `online`: needs the connection */
const blocked = (props) => Boolean(props.disabled || props.busy || (props.online && link.value.state !== "live"));
/** @param {ButtonProps} props */
const why = (props) => (props.online && link.value.state !== "live" ? t("needs-connection") : props.title);

/** @param {ButtonProps} props */
export function Button(props) {
  const press = (/** @type {Event} */ event) => {
    if (blocked(props)) event.preventDefault();
    else props.onPress();
  };
  return html`<button type=${props.type ?? "button"} id=${props.id} class="button ${props.class ?? ""}" data-look=${props.look} data-size=${props.size} aria-label=${props.label}
    aria-disabled=${blocked(props) ? "true" : undefined} aria-busy=${props.busy ? "true" : undefined} title=${why(props)} aria-expanded=${props.expanded} aria-haspopup=${props.popup}
    onClick=${press}>${props.children}</button>`;
}

/** A button that is held to confirm. @param {ButtonProps} props */
export function HoldButton(props) {
  const [holding, setHolding] = useState(false);
  const [armed, setArmed] = useState(false);
  const timer = useRef(/** @type {any} */ (undefined));
  const down = useRef(false);
  // What is true at the end of the hold counts: the line may be gone by then.
  const latest = useRef(props);
  latest.current = props;
  const stop = () => {
    clearTimeout(timer.current);
    down.current = false;
    setHolding(false);
  };
  const start = () => {
    if (down.current || blocked(props)) return;
    down.current = true;
    setHolding(true);
    timer.current = setTimeout(() => {
      stop();
      setArmed(false);
      if (!blocked(latest.current)) latest.current.onPress();
    }, HOLD_MS);
  };
  useEffect(() => stop, []);
  useEffect(() => {
    const timeout = armed ? setTimeout(() => setArmed(false), TWICE_MS) : undefined;
    return () => clearTimeout(timeout);
  }, [armed]);
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (event.type === "keyup") stop();
    else if (!event.repeat) start();
  };
  // A press without pointer or key comes from assistive technology, which cannot hold.
  const press = (/** @type {MouseEvent} */ event) => {
    if (event.detail !== 0 || blocked(props)) return;
    if (armed) props.onPress();
    setArmed(!armed);
  };
  return html`<button type="button" id=${props.id} class="button ${props.class ?? ""}" data-look=${props.look} data-size=${props.size} data-holding=${String(holding)}
    aria-disabled=${blocked(props) ? "true" : undefined} aria-busy=${props.busy ? "true" : undefined} title=${why(props) ?? t("hold-hint")} aria-description=${t("hold-hint")}
    onPointerDown=${(/** @type {PointerEvent} */ event) => event.button === 0 && start()} onPointerUp=${stop} onPointerLeave=${stop} onPointerCancel=${stop}
    onContextMenu=${(/** @type {Event} */ event) => holding && event.preventDefault()} onKeyDown=${key} onKeyUp=${key} onBlur=${stop} onClick=${press}
    ><i class="fill" aria-hidden="true"></i><span>${armed ? t("hold-again") : props.children}</span></button>`;
}
