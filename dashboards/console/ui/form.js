// What dialogs that send a command have in common: one command, busy while it runs, its refusal in words.
import { useState } from "../vendor/preact.js";
import { command } from "../commands.js";
import { explain, toast } from "./toast.js";

/**
 * @param {(run: import("../commands.js").Run) => void} onDone
 * @param {() => void} [onStale] what stands there is newer than what was shown, and this shows it: for pages that do not follow a board
 */
export function useSending(onDone, onStale) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const send = async (/** @type {string} */ op, /** @type {any} */ args, /** @type {{if_rev?: number}|undefined} */ more = undefined) => {
    setBusy(true);
    const run = await command(op, args, more);
    setBusy(false);
    if (run.phase !== "refused") onDone(run);
    else if (run.error?.code === "STALE_REV" && onStale) {
      toast(explain(run.error), "alarm");
      onStale();
    } else setFault(explain(run.error));
    return run;
  };
  return { busy, fault, setFault, send };
}
