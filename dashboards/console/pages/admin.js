// Administration: who may come in, as what, where; and who is in just now.
import { html, useEffect, useState } from "../vendor/preact.js";
import { t, word, language } from "../i18n.js";
import * as api from "../api.js";
import { me } from "../session.js";
import { may } from "../rights.js";
import { useKeys } from "../keys.js";
import { date } from "../format.js";
import { Button, HoldButton } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Choice, Field, Segments } from "../ui/field.js";
import { useSending } from "../ui/form.js";
import { Once } from "../ui/once.js";
import { Empty, Mark, Skeleton } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { explain, toast } from "../ui/toast.js";
import { PageHead, Sheet } from "../ui/shell.js";
import { Tokens } from "./tokens.js";

const ROLES = ["gate_operator", "supervisor", "manager", "technician", "settlement", "auditor", "inspector", "teller", "lobby", "remote_agent", "admin"];

/** A scope in words. @param {any} scope @returns {string} */
export function scopeWord(scope) {
  if (scope === "all" || scope?.all) return t("scope-all");
  if (scope?.sites) return t("scope-sites-of", { sites: scope.sites.join(", ") });
  return t("scope-stations-of", { stations: (scope?.stations ?? []).join(", ") });
}

export function Admin() {
  const [users, setUsers] = useState(/** @type {any[]|undefined} */ (undefined));
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const [dialog, setDialog] = useState(/** @type {{kind: string, user?: any}|undefined} */ (undefined));
  const load = async () => {
    const answer = await api.list("users").catch(() => undefined);
    if (answer?.ok) setUsers(answer.body.items);
    setFault(answer?.ok ? undefined : answer ? explain(answer.body) : t("no-server"));
  };
  useEffect(() => void load(), []);
  useKeys(may("user.add") ? [{ keys: "n", label: t("user-add"), group: t("nav-admin"), run: () => setDialog({ kind: "add" }) }] : [], [language.value]);
  const close = () => {
    setDialog(undefined);
    load();
  };
  return html`
    <${PageHead} title=${t("nav-admin")} text=${t("admin-text")}>${may("user.add") && html`<${Button} online onPress=${() => setDialog({ kind: "add" })}>${t("user-add")}<//>`}<//>
    ${fault ? html`<${Sheet} label=${t("users")}><${Empty} title=${fault}><p><${Button} onPress=${load}>${t("again")}<//></p><//><//>` : users === undefined ? html`<${Skeleton} height="20rem" />` : html`<${Sheet} title=${t("users")} aside=${t("users-count", { count: users.length })} flush>
      <${Table} label=${t("users")} rows=${users} id=${(/** @type {any} */ user) => user.user} onOpen=${may("user.roles") ? (/** @type {any} */ user) => setDialog({ kind: "roles", user }) : undefined} columns=${columns(setDialog)} empty=${t("users-none")} /><//>`}
    ${dialog?.kind === "add" && html`<${PersonDialog} onClose=${close} />`}
    ${dialog?.kind === "roles" && html`<${PersonDialog} user=${dialog.user} onClose=${close} />`}
    ${dialog?.kind === "disable" && html`<${EndDialog} op="user.disable" user=${dialog.user} onClose=${close} />`}
    ${dialog?.kind === "tokens" && html`<${Tokens} user=${dialog.user.user} onClose=${close} />`}
    ${dialog?.kind === "end" && html`<${EndDialog} op="user.end_sessions" user=${dialog.user} onClose=${close} />`}`;
}

/** @param {(dialog: any) => void} open */
const columns = (open) => [
  { key: "user", title: t("user"), lead: true, cell: (/** @type {any} */ user) => html`<b class="strong">${user.user}</b>${user.user === me.value?.user ? html` <span class="quiet small">${t("user-you")}</span>` : null}` },
  { key: "roles", title: t("roles"), cell: (/** @type {any} */ user) => user.roles.map((/** @type {string} */ role) => t(`role-${role}`)).join(", ") },
  { key: "scope", title: t("scope"), cell: (/** @type {any} */ user) => scopeWord(user.scope) },
  { key: "state", title: t("state"), cell: (/** @type {any} */ user) => (user.disabled ? html`<${Mark}>${t("user-disabled")}<//>` : user.sessions > 0 ? html`<${Mark} tone="plain" dot="good">${t("sessions", { count: user.sessions })}<//>` : html`<span class="quiet">${t("sessions", { count: 0 })}</span>`) },
  { key: "tokens", title: t("tokens"), cell: (/** @type {any} */ user) => (user.user === me.value?.user || user.tokens > 0 ? html`<${Button} size="s" look="plain" online onPress=${() => open({ kind: "tokens", user })}>${t("tokens-count", { count: user.tokens })}<//>` : html`<span class="quiet">–</span>`) },
  { key: "added", title: t("added"), cell: (/** @type {any} */ user) => html`<span class="nowrap">${user.added_at ? date(user.added_at) : ""}</span>` },
  { key: "do", title: html`<span class="unseen">${t("actions")}</span>`, class: "end act no-print", cell: (/** @type {any} */ user) => html`<span class="row acts">
    ${may("user.roles") && html`<${Button} size="s" online onPress=${() => open({ kind: "roles", user })}>${t("user-roles")}<//>`}
    ${may("user.end_sessions") && user.sessions > 0 && html`<${Button} size="s" look="plain" online onPress=${() => open({ kind: "end", user })}>${t("user-end")}<//>`}
    ${may("user.disable") && !user.disabled && user.user !== me.value?.user && html`<${Button} size="s" look="plain" online onPress=${() => open({ kind: "disable", user })}>${t("user-disable")}<//>`}</span>` },
];

/** Adds a person or changes what one may do. @param {{user?: any, onClose: () => void}} props */
function PersonDialog({ user, onClose }) {
  const [name, setName] = useState(user?.user ?? "");
  const [roles, setRoles] = useState(/** @type {string[]} */ (user?.roles ?? []));
  const kind = user?.scope?.sites ? "sites" : user?.scope?.stations ? "stations" : "all";
  const [scope, setScope] = useState(kind);
  const [places, setPlaces] = useState((user?.scope?.sites ?? user?.scope?.stations ?? []).join(", "));
  const [reason, setReason] = useState("");
  const [password, setPassword] = useState(/** @type {string|undefined} */ (undefined));
  const { busy, fault, setFault, send } = useSending((run) => (user ? onClose() : setPassword(run.result?.password ?? "")), onClose);
  const apply = () => {
    const listed = places.split(/[,，\s]+/).filter(Boolean);
    if (name.trim() === "" || roles.length === 0 || (scope !== "all" && listed.length === 0)) return setFault(t("user-incomplete"));
    const args = { user: name.trim(), roles, scope: scope === "all" ? "all" : { [scope]: listed }, ...(reason.trim() && { reason: reason.trim() }) };
    return send(user ? "user.roles" : "user.add", args, user && { if_rev: user.rev });
  };
  if (password !== undefined) return html`<${Once} title=${t("user-password", { user: name })} text=${t("user-password-text")} secret=${password} onClose=${onClose} />`;
  return html`<${Dialog} title=${user ? t("user-roles-title", { user: user.user }) : t("user-add")} onClose=${onClose} onSubmit=${apply}
    foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${Button} type="submit" look="main" online busy=${busy} onPress=${() => undefined}>${user ? t("save") : t("user-add")}<//>`}>
    ${!user && html`<${Field} label=${t("user")} value=${name} onInput=${setName} required />`}
    <fieldset class="choices"><legend>${t("roles")}</legend>${ROLES.map((role) => html`<${Choice} key=${role} checked=${roles.includes(role)} label=${t(`role-${role}`)} onChange=${(/** @type {boolean} */ on) => setRoles(ROLES.filter((other) => (other === role ? on : roles.includes(other))))} />`)}</fieldset>
    <div class="field"><span class="label">${t("scope")}</span><${Segments} label=${t("scope")} value=${scope} onChange=${setScope} options=${["all", "sites", "stations"].map((value) => ({ value, label: t(`scope-${value}`) }))} /></div>
    ${scope !== "all" && html`<${Field} label=${t(`scope-${scope}`)} value=${places} onInput=${setPlaces} hint=${t("scope-hint")} />`}
    <${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${200} fault=${fault} /><//>`;
}

/** @param {{op: "user.disable"|"user.end_sessions", user: any, onClose: () => void}} props */
function EndDialog({ op, user, onClose }) {
  const [reason, setReason] = useState("");
  const what = op === "user.disable" ? "disable" : "end";
  const { busy, fault, send } = useSending(() => {
    toast(t(`user-${what}-done`, { user: user.user }));
    onClose();
  }, onClose);
  const apply = () => send(op, { user: user.user, ...(reason.trim() && { reason: reason.trim() }) }, { if_rev: user.rev });
  return html`<${Dialog} title=${t(`user-${what}-title`, { user: user.user })} onClose=${onClose} foot=${html`<${Button} onPress=${onClose}>${t("cancel")}<//><${HoldButton} look="alarm" online busy=${busy} onPress=${apply}>${t(`user-${what}-hold`)}<//>`}>
    <p>${t(`user-${what}-text`)}</p><${Field} label=${t("reason")} value=${reason} onInput=${setReason} max=${200} fault=${fault} /><//>`;
}
