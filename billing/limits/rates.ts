import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { BillingError } from "../errors.ts";

/** What is limited. Each does something outside this process: it asks the database, Stripe, or for a signature. */
export type LimitedAction = "session" | "identity_request" | "checkout" | "portal" | "quota";

/** Whom an action is counted for. What is not known is not counted. */
export interface Caller {
  /** Counted within the community: what somebody does in one community takes nothing from them in another. */
  person?: string;
  community?: string;
  /** The caller's address or network. */
  address?: string;
}

type Subject = keyof Caller | "everybody";

/**
 * How often a minute. Far above what people do: a page renews its session every four minutes, an office shares one address,
 * and a checkout takes one click. A person's limit is below the community's and that below the address's, so that nobody uses
 * up what they share with others.
 */
export const limitsPerMinute: Record<LimitedAction, Partial<Record<Subject, number>>> = {
  session: { person: 120, community: 1_200, address: 2_400 },
  // Each costs two RSA signatures and needs no session, so all together are bounded, too.
  identity_request: { address: 120, community: 600, everybody: 3_000 },
  checkout: { person: 12, community: 20, address: 240 },
  portal: { person: 12, community: 20, address: 240 },
  // The plan has limits of its own; these keep one community from occupying the database.
  quota: { person: 1_200, community: 6_000 },
};

const WINDOW_SECONDS = 60;

/**
 * Limits by address, person and community, in this process: they hold when the database does not answer, and cost it nothing.
 * With several processes each has its own.
 */
export function rates(limits = limitsPerMinute) {
  const limiters = new Map<string, RateLimiterMemory>();
  for (const [action, subjects] of Object.entries(limits)) {
    for (const [subject, points] of Object.entries(subjects)) {
      const keyPrefix = `${action}:${subject}`;
      limiters.set(keyPrefix, new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS }));
    }
  }

  /**
   * Counts an action, for the narrowest subject first: what is refused there is not counted for the others, so that whoever is
   * beyond the own limit does not use up the one of their address. Throws `BillingError` `too_many_requests`, with the seconds to
   * wait.
   */
  async function take(action: LimitedAction, { person, community, address }: Caller): Promise<void> {
    const keys: [Subject, string | undefined][] = [
      ["person", person === undefined ? undefined : `${community} ${person}`],
      // Somebody who proved nothing names a community: the address is what is known.
      ...(person === undefined
        ? [["address", address], ["community", community]] as [Subject, string | undefined][]
        : [["community", community], ["address", address]] as [Subject, string | undefined][]),
      ["everybody", ""],
    ];
    for (const [subject, key] of keys) {
      const limiter = key === undefined ? undefined : limiters.get(`${action}:${subject}`);
      if (limiter) await consume(limiter, key!, subject);
    }
  }
  return { take };
}

export type Rates = ReturnType<typeof rates>;

async function consume(limiter: RateLimiterMemory, key: string, subject: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    throw tooMany(
      subject === "everybody"
        ? "This is asked for too often at the moment."
        : `Too many requests of this ${subject}.`,
      Math.max(1, Math.ceil(refused.msBeforeNext / 1000)),
    );
  }
}

/** The answer to a request beyond a limit. */
export const tooMany = (detail: string, retryAfterSeconds: number) =>
  new BillingError("too_many_requests", detail, { retryAfterSeconds });
