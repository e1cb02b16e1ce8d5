/** What the local stack keeps from one start to the next: the secrets, and where the rest lies. */
import { join } from "node:path";
import { z } from "zod";
import { claimDataFolder } from "./postgres/data_folder.ts";
import { newPasswords, randomHex } from "./postgres/cluster.ts";
import { LocalError } from "./errors.ts";

const hex = z.string().regex(/^[0-9a-f]+$/);

const secretsSchema = z.object({
  passwords: z.object({
    supabase_admin: hex,
    postgres: hex,
    authenticator: hex,
    billing_service: hex,
  }),
  /** HS256: the parent app signs identity tokens with it. */
  parentAppJwtSecret: hex,
  /** HS256: Dues signs session tokens with it. */
  sessionSecret: hex.default(() => randomHex()),
  /** HS256: the gateway accepts tokens that are signed with it. */
  supabaseJwtSecret: hex,
  supabasePublishableKey: z.string(),
  supabaseSecretKey: z.string(),
  /** The schedules call the functions with it. */
  cronSecret: hex,
  stripeSecretKey: z.string(),
  stripePublishableKey: z.string(),
  /** By the endpoint's address. Stripe returns a signing secret only once. */
  webhookSecrets: z.record(z.string(), z.string()),
});
export type Secrets = z.output<typeof secretsSchema>;

export function newSecrets(): Secrets {
  return {
    passwords: newPasswords(),
    parentAppJwtSecret: randomHex(),
    sessionSecret: randomHex(),
    supabaseJwtSecret: randomHex(),
    supabasePublishableKey: `sb_publishable_${randomHex()}`,
    supabaseSecretKey: `sb_secret_${randomHex()}`,
    cronSecret: randomHex(),
    stripeSecretKey: `sk_test_${randomHex()}`,
    stripePublishableKey: `pk_test_${randomHex()}`,
    webhookSecrets: {},
  };
}

/** The kept state of one stack. No other stack uses it until close(). */
export class KeptState {
  readonly #lock: Deno.FsFile;

  private constructor(readonly folder: string, lock: Deno.FsFile) {
    this.#lock = lock;
  }

  get postgresFolder(): string {
    return join(this.folder, "postgres");
  }

  get stripeFile(): string {
    return join(this.folder, "stripe.json");
  }

  get #secretsFile(): string {
    return join(this.folder, "secrets.json");
  }

  /** Locks the folder. Rejects with LocalError `state_in_use` when another stack uses it. */
  static async open(folder: string): Promise<KeptState> {
    await Deno.mkdir(folder, { recursive: true });
    const lock = await Deno.open(join(folder, "stack.lock"), { create: true, write: true });
    if (await lock.tryLock(true)) return new KeptState(folder, lock);
    lock.close();
    throw new LocalError(
      "state_in_use",
      `Another stack is running on the state in ${folder}. Stop it, or start this one with --ephemeral.`,
    );
  }

  /** Unlocks the folder. */
  close(): void {
    this.#lock.close();
  }

  /** Deletes everything that is kept. */
  async reset(): Promise<void> {
    const claim = await claimDataFolder(this.postgresFolder);
    for (const path of [this.postgresFolder, this.stripeFile, this.#secretsFile]) {
      await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
    }
    claim.close();
  }

  /** The kept secrets, or null. Rejects with LocalError `state_unusable` when the file is damaged. */
  async readSecrets(): Promise<Secrets | null> {
    const text = await Deno.readTextFile(this.#secretsFile).catch(ignoreMissing);
    if (text === undefined) return null;
    try {
      return secretsSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new LocalError("state_unusable", `${this.#secretsFile} is damaged. Start with --reset.`, {
        cause: error,
      });
    }
  }

  /** Writes the secrets to a file that only this user can read. */
  async writeSecrets(secrets: Secrets): Promise<void> {
    const unfinished = `${this.#secretsFile}.new`;
    await Deno.writeTextFile(unfinished, JSON.stringify(secrets, null, 2), { mode: 0o600 });
    await Deno.rename(unfinished, this.#secretsFile);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
