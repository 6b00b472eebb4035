// Words of the pages that are not on the wire, or looser than there.

/** Why something was refused: by the server, or (`local`) because the line did not carry it. */
export interface Refusal { code: string; message_key?: string; params?: Record<string, any>; retry?: boolean; local?: boolean }
/** A name in each language. */
export type Names = Record<string, string>;
/** A command as it is meant. */
export interface Command { command_id: string; op: string; args: Record<string, any>; if_rev?: number; ttl_ms: number }
