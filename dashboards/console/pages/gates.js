// Gates: the network as a map and as a list. Finding a station is typing a part of its name.
import { html, useRef } from "../vendor/preact.js";
import { t, named, language } from "../i18n.js";
import { useChannel } from "../store.js";
import { useKeys } from "../keys.js";
import { go, place, query } from "../router.js";
import { number, rate } from "../format.js";
import { NetworkMap, condition } from "../charts/map.js";
import { Live } from "../ui/states.js";
import { Segments } from "../ui/field.js";
import { Table } from "../ui/table.js";
import { PageHead, Sheet } from "../ui/shell.js";
import { Matter, needy } from "./overview.js";

/** @param {any} row @param {string} wanted @returns {boolean} */
export const matches = (row, wanted) => `${row.station} ${Object.values(row.name ?? {}).join(" ")}`.toLowerCase().includes(wanted.trim().toLowerCase());

export function Gates() {
  const board = useChannel("overview:all");
  const search = useRef(/** @type {HTMLInputElement|null} */ (null));
  useKeys([{ keys: "f", label: t("gates-find"), group: t("nav-gates"), run: () => search.current?.focus() }], [language.value]);
  const { q = "", show = "all" } = place.value.query;
  return html`
    <${PageHead} title=${t("nav-gates")} text=${board.data && t("gates-text", { stations: board.data.stations.length, online: number(board.data.gates.online), of: number(board.data.gates.of) })} />
    <${Live} board=${board} height="50rem">${(/** @type {any} */ data) => {
      const rows = (show === "needy" ? needy(data.stations) : data.stations).filter((/** @type {any} */ row) => matches(row, q));
      return html`<div class="gates-grid">
        <${Sheet} title=${t("network")} aside=${html`<${Legend} />`} class="gates-map"><${NetworkMap} stations=${data.stations} links=${data.links} /><//>
        <${Sheet} label=${t("stations")} flush>
          <div class="filter">
            <input ref=${search} class="input" type="search" aria-label=${t("gates-find")} placeholder=${t("gates-find")} value=${q} spellcheck=${false} onInput=${(/** @type {any} */ event) => query({ q: event.target.value })} />
            <${Segments} label=${t("gates-show")} value=${show} onChange=${(/** @type {string} */ value) => query({ show: value === "all" ? undefined : value })} options=${["all", "needy"].map((value) => ({ value, label: t(`gates-show-${value}`) }))} />
          </div>
          <div class="gates-list"><${Table} label=${t("stations")} rows=${rows} id=${(/** @type {any} */ row) => row.station} onOpen=${(/** @type {any} */ row) => go(`/gates/${encodeURIComponent(row.station)}`)}
            empty=${q ? t("gates-none") : t("needs-nobody")} columns=${columns()} compact /></div>
        <//>
      </div>`;
    }}<//>`;
}

const columns = () => [
  { key: "name", title: t("station"), cell: (/** @type {any} */ row) => html`<a href="/gates/${encodeURIComponent(row.station)}" tabindex="-1">${named(row.name, row.station)}</a>` },
  { key: "matter", title: t("state"), cell: (/** @type {any} */ row) => (condition(row) === "well" ? html`<span class="quiet">${t("mode-normal")}</span>` : html`<${Matter} row=${row} />`) },
  { key: "gates", title: t("gates"), num: true, cell: (/** @type {any} */ row) => `${row.online} / ${row.of}` },
  { key: "taps", title: t("unit-taps-s"), num: true, cell: (/** @type {any} */ row) => rate(row.taps_s) },
];

const Legend = () => html`<ul class="legend">${["well", "mode", "alarm", "offline", "emergency"].map((state) => html`<li key=${state} data-state=${state}><i></i>${t(`map-${state}`)}</li>`)}</ul>`;
