/**
 * The metadata that Dues writes on its customers, checkout sessions and subscriptions in Stripe. Other apps use the same
 * account, so the keys have a prefix that only Dues writes: an object of theirs is never taken for ours, even if it names the
 * same community by a key of its own.
 */
const COMMUNITY = "dues_community_id";
const ATTEMPT = "dues_attempt";

type Metadata = Record<string, string> | null | undefined;

/** The metadata of a community's object. Written after any other, so that nothing replaces it. */
export const ownedBy = (communityId: string) => ({ [COMMUNITY]: communityId });

/** The metadata of the checkout session of an attempt. */
export const ownedByAttempt = (communityId: string, attempt: number) => ({
  ...ownedBy(communityId),
  [ATTEMPT]: String(attempt),
});

/** The community that an object of Stripe's was made for by Dues; undefined for anybody else's object. */
export const ownerOf = (metadata: Metadata): string | undefined => metadata?.[COMMUNITY];

/** The attempt that a checkout session was made for. */
export const attemptOf = (metadata: Metadata): number => Number(metadata?.[ATTEMPT]);
