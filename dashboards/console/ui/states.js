// What a page shows when there is nothing, nothing yet, nothing more, or nothing for you.
import { html } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { explain } from "./toast.js";

/** @param {{title: string, text?: string, children?: any}} props */
export const Empty = ({ title, text, children }) => html`<div class="empty"><b>${title}</b>${text}${children}</div>`;

/** Keeps the room of what is coming, so that nothing jumps. @param {{height: string}} props */
export const Skeleton = ({ height }) => html`<div class="skeleton" style=${{ height }} role="status"><span class="unseen">${t("loading")}</span></div>`;

/** Shows a board: waiting, refused, stale or as it is. @param {{board: import("../store.js").Board, height?: string, children: (data: any) => any}} props */
export function Live({ board, height = "20rem", children }) {
  if (board.status === "refused") return html`<div class="sheet"><${Empty} title=${board.error?.code === "NOT_FOUND" ? t("not-there") : t("not-for-you")} text=${explain(board.error)} /></div>`;
  if (board.data === undefined) return html`<${Skeleton} height=${height} />`;
  return html`<div class="live stack ${board.status === "fresh" ? "" : "is-stale"}" aria-busy=${board.status === "fresh" ? undefined : "true"}>${children(board.data)}</div>`;
}

/** A word for a state; `tone` only where it asks for somebody. @param {{tone?: "alarm"|"warn"|"accent"|"plain", dot?: "good"|"warn"|"alarm"|"off", children?: any}} props */
export const Mark = ({ tone, dot, children }) => html`<span class="mark" data-tone=${tone}>${dot && html`<i class="dot" data-tone=${dot}></i>`}${children}</span>`;
