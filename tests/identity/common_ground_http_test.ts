// Over HTTP: requests signed by the plugin's server, answered by the stand-in, exchanged for a session.
import assert from "node:assert/strict";
import { communities } from "../../local/common_ground/communities.ts";
import { type CommonGroundStack, startCommonGroundStack } from "./rig.ts";

const [garden, chess] = communities;

let rig: CommonGroundStack;
Deno.test.beforeAll(async () => {
  rig = await startCommonGroundStack();
});
Deno.test.afterAll(() => rig?.stop());

interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any -- an answer's shape is what the tests are about
  body: any;
}

async function post(path: string, body: unknown, headers: HeadersInit = {}): Promise<Answer> {
  const response = await fetch(`${rig.pluginUrl}${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

const ask = (body: unknown, origin = rig.pluginUrl) => post("/api/auth/common-ground", body, { origin });
const openSession = (proof: unknown) => post("/api/auth/session", proof);

async function answer(person: string, request: unknown) {
  const response = await fetch(`${rig.hostUrl}/Plugins/pluginRequest`, {
    method: "POST",
    headers: { cookie: `person=${person}` },
    body: JSON.stringify(request),
  });
  assert.equal(response.status, 200);
  return await response.json();
}

async function proofOf(person: string, { pluginId } = garden) {
  const { status, body } = await ask({ iframeUid: "a1B2c3D4e5", pluginId });
  assert.equal(status, 200);
  return {
    ticket: body.ticket,
    userInfo: await answer(person, body.userInfo),
    communityInfo: await answer(person, body.communityInfo),
  };
}

const refused = async (answer: Promise<Answer>, status: number, code: string) => {
  const { status: actual, body } = await answer;
  assert.deepEqual([actual, body.code], [status, code]);
};

Deno.test("POST /api/auth/session opens an admin's session for signed answers, on the free plan", async () => {
  const { status, body } = await openSession(await proofOf("ada"));
  assert.equal(status, 200);
  assert.deepEqual(body.community, { id: garden.id, title: garden.title });
  assert.deepEqual([body.isAdmin, body.pluginId], [true, garden.pluginId]);

  const info = await fetch(`${rig.pluginUrl}/api/community/billing-info`, {
    headers: { authorization: `Bearer ${body.token}` },
  });
  const { community, plan, isAdmin } = await info.json();
  assert.deepEqual([community.id, plan.code, isAdmin], [garden.id, "free", true]);
});

Deno.test("a checkout returns to the address that Common Ground shows the plugin at", async () => {
  const { body: { token } } = await openSession(await proofOf("ada"));
  const { status, body } = await post("/api/stripe/create-checkout-session", {}, {
    authorization: `Bearer ${token}`,
  });
  assert.equal(status, 200);
  const session = await fetch(`${rig.stack.urls.stripe}/v1/checkout/sessions/${body.sessionId}`, {
    headers: { authorization: `Bearer ${rig.stack.keys.stripeSecretKey}` },
  });
  const { success_url, client_reference_id } = await session.json();
  const place = `${rig.hostUrl}/c/${garden.url}/plugin/${garden.pluginId}/`;
  assert.ok(success_url.startsWith(`${place}?stripe_status=success&session_id=`), success_url);
  assert.equal(
    client_reference_id,
    garden.id,
    "the community's id, not its slug, which another community may take over",
  );
});

Deno.test("an admin of one community is a member in another, and a guest is refused", async () => {
  assert.equal((await openSession(await proofOf("ada", chess))).body.isAdmin, false);
  assert.equal((await openSession(await proofOf("ben", chess))).body.isAdmin, true);
  await refused(openSession(await proofOf("dan")), 403, "not_member");
});

Deno.test("a proof opens one session when it is sent twenty times at once", async () => {
  const proof = await proofOf("ada");
  const answers = await Promise.all(Array.from({ length: 20 }, () => openSession(proof)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  await refused(openSession(proof), 401, "used_identity_token");
});

Deno.test("answers are refused without the ticket of their request", async () => {
  const [stolen, own] = [await proofOf("ada"), await proofOf("ben")];
  await refused(openSession({ ...stolen, ticket: own.ticket }), 401, "invalid_identity_answer");
  await refused(openSession({ ...own, userInfo: stolen.userInfo }), 401, "invalid_identity_answer");
  await refused(openSession({ ...stolen, ticket: "none" }), 401, "invalid_identity_answer");
});

Deno.test("a signed request is refused as an answer", async () => {
  const { body: { ticket, userInfo, communityInfo } } = await ask({
    iframeUid: "a1B2c3D4e5",
    pluginId: garden.pluginId,
  });
  const asAnswer = ({ request, signature }: { request: string; signature: string }) => ({
    response: request,
    signature,
  });
  const proof = { ticket, userInfo: asAnswer(userInfo), communityInfo: asAnswer(communityInfo) };
  await refused(openSession(proof), 401, "invalid_identity_answer");
});

Deno.test("POST /api/auth/common-ground refuses other origins and other requests", async () => {
  const good = { iframeUid: "a1B2c3D4e5", pluginId: garden.pluginId };
  for (const origin of [rig.hostUrl, "https://evil.test", "null", `${rig.pluginUrl}.evil.test`]) {
    await refused(ask(good, origin), 403, "foreign_origin");
  }
  await refused(post("/api/auth/common-ground", good), 403, "foreign_origin");
  const forged = { data: { id: "x", roles: [] }, pluginId: garden.pluginId };
  const action = { ...good, type: "action", data: { type: "giveRole", roleId: "r", userId: "u" } };
  for (const body of [{}, forged, action, { ...good, pluginId: "p1" }, { ...good, iframeUid: '"' }]) {
    await refused(ask(body), 400, "invalid_request");
  }
});

Deno.test("POST /api/auth/session refuses an identity token here, and proofs above 256 KiB", async () => {
  await refused(openSession({ identityToken: "x" }), 400, "invalid_request");
  const proof = await proofOf("ada");
  const long = { ...proof, communityInfo: { ...proof.communityInfo, signature: "A".repeat(100_000) } };
  await refused(openSession(long), 401, "invalid_identity_answer");
  const longer = { ...proof, communityInfo: { ...proof.communityInfo, signature: "A".repeat(300_000) } };
  await refused(openSession(longer), 413, "payload_too_large");
});
