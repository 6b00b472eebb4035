// Fields of forms: a label, a hint, a fault, tied together for everybody.
import { html, useId } from "../vendor/preact.js";

/** @typedef {{label: string, value: string, onInput: (value: string) => void, hint?: string, fault?: string, type?: string, required?: boolean,
 *   autocomplete?: string, placeholder?: string, rows?: number, max?: number, inputRef?: any, name?: string}} FieldProps */

/** @param {FieldProps} props */
export function Field(props) {
  const id = useId();
  const note = props.fault ?? props.hint;
  const common = {
    id, name: props.name, class: "input", value: props.value, required: props.required, placeholder: props.placeholder, autocomplete: props.autocomplete ?? "off",
    maxLength: props.max, ref: props.inputRef, "aria-invalid": props.fault ? "true" : undefined, "aria-describedby": note ? `${id}-note` : undefined,
    onInput: (/** @type {any} */ event) => props.onInput(event.target.value),
  };
  return html`<div class="field">
    <label for=${id}>${props.label}</label>
    ${props.rows ? html`<textarea rows=${props.rows} ...${common}></textarea>` : html`<input type=${props.type ?? "text"} spellcheck=${false} ...${common} />`}
    ${note && html`<p id="${id}-note" class=${props.fault ? "fault" : "hint"} role=${props.fault ? "alert" : undefined}>${note}</p>`}
  </div>`;
}

/** @param {{label: string, value: string, onChange: (value: string) => void, options: {value: string, label: string}[], hint?: string}} props */
export function Select({ label, value, onChange, options, hint }) {
  const id = useId();
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} class="input" value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)} aria-describedby=${hint ? `${id}-note` : undefined}>
      ${options.map((option) => html`<option key=${option.value} value=${option.value} selected=${option.value === value}>${option.label}</option>`)}
    </select>
    ${hint && html`<p id="${id}-note" class="hint">${hint}</p>`}
  </div>`;
}

/** @param {{name?: string, type?: "checkbox"|"radio", checked: boolean, onChange: (checked: boolean) => void, label: string, detail?: string, disabled?: boolean}} props */
export function Choice({ name, type = "checkbox", checked, onChange, label, detail, disabled }) {
  return html`<label class="choice">
    <input type=${type} name=${name} checked=${checked} disabled=${disabled} onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />
    <span><b>${label}</b>${detail && html`<span class="hint">${detail}</span>`}</span>
  </label>`;
}

/** A few exclusive settings side by side. @param {{label: string, value: string, options: {value: string, label: string}[], onChange: (value: any) => void}} props */
export const Segments = ({ label, value, options, onChange }) => html`<div class="segments" role="group" aria-label=${label}>
  ${options.map((option) => html`<button key=${option.value} type="button" aria-pressed=${String(option.value === value)} lang=${option.value === "zh-CN" || option.value === "en" ? option.value : undefined}
    onClick=${() => onChange(option.value)}>${option.label}</button>`)}
</div>`;
