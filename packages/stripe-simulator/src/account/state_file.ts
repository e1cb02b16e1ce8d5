import { dirname } from "node:path";
import type { Account } from "./account.ts";
import { readState, replaceState, type State, stateSchema } from "./saved_state.ts";

/** The state file was not written by this version of the simulator. */
export class StateFileError extends Error {
  override readonly name = "StateFileError";
}

/** How long changes are collected before they are written, in milliseconds. */
const saveDelay = 100;

/** Saves an account's state in a JSON file, so that it survives a restart. */
export class StateFile {
  readonly #path: string;
  readonly #account: Account;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, account: Account) {
    this.#path = path;
    this.#account = account;
  }

  /** Loads the account from the file, if it exists. Throws a `StateFileError` that names the file. */
  async load() {
    await Deno.mkdir(dirname(this.#path), { recursive: true });
    const text = await readIfThere(this.#path);
    if (text === undefined) return;
    replaceState(this.#account, parseState(this.#path, text));
  }

  /** Writes the state soon. Changes within a short time are written together. */
  saveSoon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    }, saveDelay);
  }

  /** Writes the state now. */
  async flush() {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
  }

  /** Renaming is atomic: after a crash the file has the old state or the new one. */
  async #write() {
    const draft = `${this.#path}.draft`;
    await Deno.writeTextFile(draft, JSON.stringify(readState(this.#account)));
    await Deno.rename(draft, this.#path);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function parseState(path: string, text: string): State {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    const message = `${path} is not a state file of this version of the Stripe simulator. ` +
      "Remove it, or choose another file with --state.";
    throw new StateFileError(message, { cause });
  }
}
