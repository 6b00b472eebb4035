// What dialogs that send a command have in common: one command, busy while it runs, its refusal in words.
import { useState } from "../vendor/preact.js";
import { command } from "../commands.js";
import { explain } from "./toast.js";

/** @param {(run: import("../commands.js").Run) => void} onDone */
export function useSending(onDone) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const send = async (/** @type {string} */ op, /** @type {any} */ args, /** @type {{if_rev?: number}|undefined} */ more = undefined) => {
    setBusy(true);
    const run = await command(op, args, more);
    setBusy(false);
    if (run.phase === "refused") setFault(explain(run.error));
    else onDone(run);
    return run;
  };
  return { busy, fault, setFault, send };
}
