// Tables that are worked by keyboard: arrows move along the rows, Home and End jump, Enter opens, Space ticks where rows can be ticked.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { composing } from "../keys.js";
import { Empty } from "./states.js";

/** @template Row @typedef {{key: string, title: any, cell: (row: Row) => any, num?: boolean, class?: string, lead?: boolean}} Column `lead`: what a row is called, the head of its card on a phone */

/** @param {{label: string, columns: Column<any>[], rows: any[], id: (row: any) => string, onOpen?: (row: any) => void, empty?: string, emptyText?: string,
 *   compact?: boolean, selected?: (row: any) => boolean, onToggle?: (row: any) => void, keys?: Record<string, (row: any) => void>}} props `keys`: letters that do something with the row in focus; `compact`: stays a table on a phone, where rows are cards otherwise */
export function Table({ label, columns, rows, id, onOpen, empty, emptyText, compact, selected, onToggle, keys }) {
  const body = useRef(/** @type {HTMLElement|null} */ (null));
  const [current, setCurrent] = useState(/** @type {string|undefined} */ (undefined));
  const active = rows.some((row) => id(row) === current) ? current : rows[0] && id(rows[0]);
  const works = onOpen !== undefined || onToggle !== undefined || keys !== undefined;
  const refocus = useRef(false);
  useEffect(() => {
    if (refocus.current) /** @type {HTMLElement|null|undefined} */ (body.current?.querySelector('tr[tabindex="0"]'))?.focus();
    refocus.current = false;
  }, [active]);
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (composing(event) || event.ctrlKey || event.metaKey || event.altKey || !(/** @type {Element} */ (event.target).matches("tr"))) return;
    const index = rows.findIndex((row) => id(row) === active);
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined && rows[to]) {
      refocus.current = true;
      setCurrent(id(rows[to]));
    } else if (event.key === "Enter") onOpen?.(rows[index]);
    else if (event.key === " " && onToggle) onToggle(rows[index]);
    else if (keys?.[event.key]) keys[event.key](rows[index]);
    else if (to === undefined) return;
    event.preventDefault();
  };
  const click = (/** @type {MouseEvent} */ event, /** @type {any} */ row) => {
    if (/** @type {Element} */ (event.target).closest("a, button, input, label")) return;
    setCurrent(id(row));
    (onOpen ?? onToggle)?.(row);
  };
  if (rows.length === 0 && empty) return html`<${Empty} title=${empty} text=${emptyText} />`;
  // A table that only shows is focusable as a whole, so that it can be scrolled by keyboard.
  return html`<div class="table-wrap" tabindex=${works ? undefined : 0} role=${works ? undefined : "region"} aria-label=${works ? undefined : label}><table class=${compact ? "table" : "table cards"} aria-label=${label}>
    <thead><tr>${columns.map((column) => html`<th key=${column.key} scope="col" class=${`${column.num ? "num" : ""} ${column.class ?? ""}`}>${column.title}</th>`)}</tr></thead>
    <tbody ref=${body} onKeyDown=${works ? key : undefined}>
      ${rows.map((row) => html`<tr key=${id(row)} tabindex=${works ? (id(row) === active ? 0 : -1) : undefined} aria-selected=${selected ? String(selected(row)) : undefined}
        onFocus=${() => works && setCurrent(id(row))} onClick=${works ? (/** @type {MouseEvent} */ event) => click(event, row) : undefined}>
        ${columns.map((column) => html`<td key=${column.key} class=${`${column.num ? "num" : ""} ${column.lead ? "lead" : ""} ${column.class ?? ""}`} data-label=${typeof column.title === "string" && !column.lead ? column.title : undefined}>${column.cell(row)}</td>`)}
      </tr>`)}
    </tbody>
  </table></div>`;
}
