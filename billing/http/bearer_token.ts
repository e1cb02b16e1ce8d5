/** The bearer token of a request (RFC 6750, 2.1); undefined when it has none. */
export function bearerToken(request: Request): string | undefined {
  return request.headers.get("authorization")?.match(/^Bearer +(\S+)$/i)?.[1];
}
