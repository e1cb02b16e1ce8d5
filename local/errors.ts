/** Faults of a start of the local stack that its user can fix. */
export type LocalErrorCode =
  | "bad_option"
  | "port_in_use"
  | "state_in_use"
  | "state_unusable"
  | "folder_closed"
  | "migration_changed"
  | "migration_failed"
  | "child_died"
  | "child_not_ready"
  | "stopped"
  | "bad_config";

/** An error for the user: its message is shown without a stack trace. */
export class LocalError extends Error {
  override name = "LocalError";
  constructor(readonly code: LocalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
