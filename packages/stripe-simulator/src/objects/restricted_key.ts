/** A restricted API key. It is allowed what its permissions say: `customer_write`, `invoice_read`. */
export interface RestrictedKey {
  /** The key itself: `rk_test_…`. */
  id: string;
  permissions: string[];
}

/** True when the key has the permission. Writing includes reading. */
export function hasPermission({ permissions }: RestrictedKey, wanted: string): boolean {
  return permissions.includes(wanted) || permissions.includes(wanted.replace(/_read$/, "_write"));
}
