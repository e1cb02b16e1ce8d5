/** What session tokens are signed with: a secret (HS256), or a private key that Supabase has the public half of (ES256). */
export type SessionKey = { secret: string } | { signingKey: SigningKey };
export interface SigningKey {
  kty: "EC";
  crv: "P-256";
  kid: string;
  x: string;
  y: string;
  d: string;
}
