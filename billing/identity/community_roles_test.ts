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
  ["the predefined admin is an admin", ["r-admin"], ["Admin"], { isMember: true, isAdmin: true }],
  ["a member is a member", ["r-guest", "r-member"], ["Admin"], { isMember: true, isAdmin: false }],
  ["a custom role that is called Admin makes no admin", ["r-false", "r-member"], ["Admin"], {
    isMember: true,
    isAdmin: false,
  }],
  ["a custom role counts by its id", ["r-treasurer"], ["Admin", "r-treasurer"], {
    isMember: true,
    isAdmin: true,
  }],
  ["and not by its title", ["r-treasurer"], ["Treasurer"], { isMember: true, isAdmin: false }],
  ["without Admin in the list, admins of the community may not pay", ["r-admin"], ["r-treasurer"], {
    isMember: true,
    isAdmin: false,
  }],
  ["a guest is no member", ["r-guest"], ["Admin"], { isMember: false, isAdmin: false }],
  ["nor is who holds nothing", [], ["Admin"], { isMember: false, isAdmin: false }],
  ["a role of another community is none here", ["r-elsewhere"], ["r-elsewhere"], {
    isMember: false,
    isAdmin: false,
  }],
];

for (const [statement, held, adminRoles, expected] of rows) {
  Deno.test(statement, () => assert.deepEqual(standingOf(held, roles, adminRoles), expected));
}
