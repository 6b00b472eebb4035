// What a person chooses: where, which way, with what; the tap; the network plug.
import { html, signal, useState } from "/vendor/preact.js";
import { named, t, word } from "/i18n.js";
import { money } from "/format.js";
import { connect, gate, link, loan, move, plug, plugged, rev, seen, takeOwn, tap, trouble } from "./gate.js";
import { lending, stations } from "./loan.js";
import { Key } from "./scene.js";

export const direction = signal(/** @type {"entry"|"exit"} */ ("entry"));
export const chosen = signal(0);
/** A medium of one's own, where nobody lends any. */
const own = signal({ name: "own", kind: "card", token: "" });

/** What will be in the purse, before there is one. */
const PURSE = ["wallet", "card", "poor", "unknown"].map((name) => ({ name, kind: "card", token: "" }));

/** @returns {import("./loan.js").PurseMedium[]} */
export const media = () => (lending.value === false ? [own.value] : (loan.value?.media ?? PURSE));
const medium = () => media()[Math.min(chosen.value, media().length - 1)];
/** May somebody tap now? */
export const mayTap = () => Boolean(loan.value && medium()?.token && !["none", "lost", "taken", "refused"].includes(link.value));

export function tapNow() {
  if (mayTap()) tap(direction.value, medium());
}

/** Records that only this gate has, and cannot hand in at once. */
function waiting() {
  const core = gate();
  return core?.owed().filter((entry) => !core.online || entry.by === "gate").length ?? 0;
}

export function Controls() {
  rev.value;
  return html`<section class="sheet controls" aria-label=${t("controls")}>
    ${lending.value === false ? html`<${Own} />` : html`<${Where} />`}
    <fieldset class="plain"><legend>${t("direction")}</legend><div class="segments">${["entry", "exit"].map(
      (way) => html`<button type="button" id=${way} aria-pressed=${String(direction.value === way)} onClick=${() => (direction.value = /** @type {any} */ (way))}>${t(way)}</button>`,
    )}</div></fieldset>
    ${lending.value === false ? html`<${OwnMedium} />` : html`<${Purse} />`}
    <${Plug} /></section>`;
}

function Where() {
  rev.value;
  const list = stations.value;
  const kept = waiting();
  const here = loan.value?.station;
  const pick = async (/** @type {Event} */ event) => {
    const select = /** @type {HTMLSelectElement} */ (event.currentTarget);
    await move(select.value);
    // Where that was refused, the old one is still right.
    select.value = loan.value?.station ?? "";
  };
  const hint = kept > 0 ? t("station-kept", { count: kept }) : trouble.value ? word("trouble", trouble.value) : t("station-hint");
  return html`<div class="field"><label for="station">${t("station")}</label>
    <select id="station" class="input" disabled=${kept > 0 || list.length === 0} onChange=${pick} value=${here}>${list.map(
      ({ station, name, free }) => html`<option value=${station} disabled=${free === 0 && station !== here}>${named(name, station)}${free === 0 && station !== here ? t("all-taken") : ""}</option>`,
    )}</select>
    <p class="hint" data-trouble=${trouble.value}>${hint}</p></div>
    ${link.value === "lost" && here ? html`<p class="row"><button type="button" class="button" onClick=${() => void move(here)}>${t("borrow-again")}</button></p>` : null}`;
}

function Purse() {
  return html`<fieldset class="plain"><legend>${t("medium")}</legend><div class="purse">${media().map((item, n) => {
    const { balance, inside } = seen.value[item.token] ?? {};
    const facts = [balance && money(balance), inside === undefined ? "" : t(inside ? "inside" : "outside")].filter(Boolean).join(t("joiner"));
    return html`<label class="choice" data-chosen=${String(chosen.value === n)}><input type="radio" name="medium" id=${`medium-${item.name}`} checked=${chosen.value === n} onChange=${() => (chosen.value = n)} />
      <span><b>${t(`medium-${item.name}`)}</b><small>${facts || t(`medium-${item.name}-text`)}</small></span><${Key} of=${n + 1} /></label>`;
  })}</div></fieldset>`;
}

function OwnMedium() {
  const set = (/** @type {string} */ key) => (/** @type {Event} */ event) => (own.value = { ...own.value, [key]: /** @type {HTMLInputElement} */ (event.currentTarget).value });
  return html`<div class="field"><label for="kind">${t("medium")}</label><select id="kind" class="input" value=${own.value.kind} onChange=${set("kind")}>${["card", "ecny", "ecny_hard", "bank", "face", "qr"].map(
    (kind) => html`<option value=${kind}>${t(`kind-${kind}`)}</option>`,
  )}</select></div><div class="field"><label for="token">${t("token")}</label><input id="token" class="input" autocomplete="off" value=${own.value.token} onInput=${set("token")} /></div>`;
}

/** A gate of one's own: what its configuration would say. */
function Own() {
  const [who, setWho] = useState({ site: "cd", device: "", secret: "" });
  const field = (/** @type {"site"|"device"|"secret"} */ key, /** @type {string} */ type) =>
    html`<div class="field"><label for=${key}>${t(`own-${key}`)}</label><input id=${key} type=${type} class="input" required autocomplete="off" value=${who[key]} onInput=${(/** @type {any} */ event) => setWho({ ...who, [key]: event.currentTarget.value })} /></div>`;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    takeOwn(who);
  };
  return html`<form class="own" onSubmit=${submit}><p class="hint">${t("own-text")}</p>${field("site", "text")}${field("device", "text")}${field("secret", "password")}
    <button type="submit" class="button">${t("own-connect")}</button></form>`;
}

function Plug() {
  const again = ["taken", "refused"].includes(link.value);
  return html`<div class="plug" data-plugged=${String(plugged.value)}>
    <button type="button" id="plug" class="button switch" role="switch" aria-checked=${String(plugged.value)} aria-disabled=${loan.value ? undefined : "true"} onClick=${() => loan.value && plug()}><i aria-hidden="true"></i><span>${t("plug")}</span><${Key} of="P" /></button>
    <p class="hint" id="plug-says">${again ? t(`link-${link.value}-text`) : t(plugged.value ? "plugged" : "unplugged")}${again ? html` <button type="button" class="button" data-size="s" onClick=${connect}>${t("take-back")}</button>` : null}</p></div>`;
}
