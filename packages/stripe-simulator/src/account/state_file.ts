import { dirname } from "node:path";
import type { Account } from "./account.ts";
import { readState, replaceState, type State, stateSchema } from "./saved_state.ts";

/** The state file is not one that this simulator wrote, or not in this version. */
export class StateFileError extends Error {
  override readonly name = "StateFileError";
}

/** How long changes are gathered before they are written, in milliseconds. */
const gatherFor = 100;

/** Keeps an account's state in a JSON file, so that a restart finds the same customers and subscriptions. */
export class StateFile {
  readonly #path: string;
  readonly #account: Account;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, account: Account) {
    this.#path = path;
    this.#account = account;
  }

  /** Fills the account from the file, if there is one. Throws a `StateFileError` that names the file and the fault. */
  async load() {
    await Deno.mkdir(dirname(this.#path), { recursive: true });
    const text = await readIfThere(this.#path);
    if (text === undefined) return;
    replaceState(this.#account, parseState(this.#path, text));
  }

  /** Writes the state soon; changes that come close together are written once. */
  saveSoon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    }, gatherFor);
  }

  /** Writes what is still to be written. */
  async flush() {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
  }

  /** A rename replaces the file at once: a crash leaves the old state or the new one, never half of it. */
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
      "Remove it to start afresh, or name another one with --state.";
    throw new StateFileError(message, { cause });
  }
}
