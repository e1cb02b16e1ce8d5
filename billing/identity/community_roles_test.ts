import assert from "node:assert/strict";
import { standingOf } from "./community_roles.ts";

const roles = [
  { id: "r-admin", title: "Admin", type: "PREDEFINED" },
  { id: "r-member", title: "Member", type: "PREDEFINED" },
  { id: "r-guest", title: "Public", type: "PREDEFINED" },
  { id: "r-false", title: "Admin", type: "CUSTOM_AUTO_ASSIGN" },
  { id: "r-treasurer", title: "Treasurer", type: "CUSTOM_MANUAL_ASSIGN" },
];

const rows: [string, string[], string[], { isMember: boolean; isAdmin: boolean }][] = [
  ["the predefined role Admin makes an admin", ["r-admin"], ["Admin"], { isMember: true, isAdmin: true }],
  ["the predefined role Member makes a member", ["r-guest", "r-member"], ["Admin"], {
    isMember: true,
    isAdmin: false,
  }],
  ["a custom role called Admin makes no admin", ["r-false", "r-member"], ["Admin"], {
    isMember: true,
    isAdmin: false,
  }],
  ["a custom role makes an admin by its id", ["r-treasurer"], ["Admin", "r-treasurer"], {
    isMember: true,
    isAdmin: true,
  }],
  ["a custom role makes no admin by its title", ["r-treasurer"], ["Treasurer"], {
    isMember: true,
    isAdmin: false,
  }],
  ["the predefined role Admin makes no admin when it is not configured", ["r-admin"], ["r-treasurer"], {
    isMember: true,
    isAdmin: false,
  }],
  ["the predefined role Public makes no member", ["r-guest"], ["Admin"], { isMember: false, isAdmin: false }],
  ["no role makes no member", [], ["Admin"], { isMember: false, isAdmin: false }],
  ["a role of another community does not count", ["r-elsewhere"], ["r-elsewhere"], {
    isMember: false,
    isAdmin: false,
  }],
];

for (const [statement, held, adminRoles, expected] of rows) {
  Deno.test(`standingOf(): ${statement}`, () =>
    assert.deepEqual(standingOf(held, roles, adminRoles), expected));
}
