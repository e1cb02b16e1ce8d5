// Which answers commonGroundProvider() accepts. The stand-in for Common Ground makes the good ones; forged ones are made here.
import assert from "node:assert/strict";
import { createSign } from "node:crypto";
import { CgPluginLibHost } from "@common-ground-dao/cg-plugin-lib-host";
import fc from "fast-check";
import {
  type CommonGroundProof,
  commonGroundProvider,
  identityRequestSchema,
  type SignedAnswer,
  type SignedRequests,
} from "../../billing/identity/common_ground.ts";
import { Answers } from "../../local/common_ground/answers.ts";
import { communities, people, treasurerRoleId } from "../../local/common_ground/communities.ts";
import { newKeyPair } from "../../local/common_ground/start_common_ground.ts";

const [garden, chess] = communities;
const [ada, ben, cleo, dan] = people;

const keys = newKeyPair();
const issuer = "https://app.example";
const commonGround = commonGroundProvider({ ...keys, adminRoles: ["Admin"], issuer });
const answers = new Answers(keys.publicKey, keys.privateKey);

const ask = (pluginId = garden.pluginId, provider = commonGround) =>
  provider.signRequests(identityRequestSchema.parse({ iframeUid: "a1B2c3D4e5", pluginId }));

function answersTo(
  { ticket, userInfo, communityInfo }: SignedRequests,
  person = ada,
  by = answers,
): CommonGroundProof {
  return { ticket, userInfo: by.answer(person, userInfo), communityInfo: by.answer(person, communityInfo) };
}

const refuses = (proof: CommonGroundProof, provider = commonGround) =>
  assert.rejects(provider.verify(proof), { code: "invalid_identity_answer" });

/** Signs any text, as a careless server would. */
const signAnything = async (preRequest: object): Promise<SignedAnswer> => {
  const library = await CgPluginLibHost.initialize(keys.privateKey, keys.publicKey);
  const { request, signature } = await library.signRequest(preRequest as never);
  return { response: request, signature };
};

Deno.test("commonGroundProvider().verify() returns person, community and slug of the answers", async () => {
  const { jti, exp, ...identity } = await commonGround.verify(answersTo(await ask()));
  assert.deepEqual(identity, {
    iss: issuer,
    sub: ada.id,
    cid: garden.id,
    title: garden.title,
    slug: garden.url,
    adm: true,
    pluginId: garden.pluginId,
  });
  assert.ok(jti.length >= 8 && exp > Date.now() / 1000);
});

Deno.test("verify() makes admins of the holders of configured roles", async () => {
  const isAdmin = async (person: typeof ada, community: typeof garden, adminRoles: string[]) => {
    const provider = commonGroundProvider({ ...keys, adminRoles, issuer });
    return (await provider.verify(answersTo(await ask(community.pluginId, provider), person))).adm;
  };
  assert.equal(await isAdmin(ada, garden, ["Admin"]), true);
  assert.equal(await isAdmin(ada, chess, ["Admin"]), false);
  assert.equal(await isAdmin(ben, garden, ["Admin"]), false, "a custom role called Admin does not count");
  assert.equal(await isAdmin(ben, chess, ["Admin"]), true);
  assert.equal(await isAdmin(cleo, garden, ["Admin"]), false);
  assert.equal(await isAdmin(cleo, garden, ["Admin", treasurerRoleId]), true);
});

Deno.test("verify() refuses guests of a community with not_member", async () => {
  await assert.rejects(commonGround.verify(answersTo(await ask(), dan)), { code: "not_member" });
});

Deno.test("verify() refuses an answer signed with another key, and a changed answer", async () => {
  const signed = await ask();
  const good = answersTo(signed, ben);
  const stranger = new Answers(keys.publicKey, newKeyPair().privateKey);
  await refuses({ ...good, userInfo: stranger.sign(JSON.parse(good.userInfo.response)) });
  const response = good.userInfo.response.replace(ben.id, ada.id);
  assert.notEqual(response, good.userInfo.response);
  await refuses({ ...good, userInfo: { ...good.userInfo, response } });
  await refuses({ ...good, userInfo: { ...good.userInfo, signature: "" } });
  await refuses({ ...good, communityInfo: { ...good.communityInfo, signature: "💥" } });
  assert.equal((await commonGround.verify(good)).sub, ben.id, "the unchanged answer is accepted");
});

Deno.test("verify() refuses an answer to another request, to the other question, or from another plugin", async () => {
  const [first, second] = [await ask(), await ask()];
  const [mine, other] = [answersTo(first, ben), answersTo(second, ada)];
  await refuses({ ...mine, userInfo: other.userInfo });
  await refuses({ ...mine, ticket: second.ticket });
  await refuses({ ...mine, userInfo: mine.communityInfo, communityInfo: mine.userInfo });

  const elsewhere = answersTo(await ask(chess.pluginId), ben);
  await refuses({ ...mine, communityInfo: elsewhere.communityInfo });
  const { requestId } = JSON.parse(mine.communityInfo.response);
  const data = JSON.parse(elsewhere.communityInfo.response).data;
  await refuses({ ...mine, communityInfo: answers.sign({ data, pluginId: chess.pluginId, requestId }) });
});

Deno.test("verify() refuses a signed answer without the requested data", async () => {
  const signed = await ask();
  const good = answersTo(signed);
  const { requestId, pluginId, data } = JSON.parse(good.userInfo.response);
  for (
    const answer of [
      { requestId, pluginId },
      { requestId, pluginId, data: null },
      { requestId, pluginId, data: { error: "NOT_ALLOWED" } },
      { requestId, pluginId, data: { ...data, roles: "Admin" } },
      { requestId, pluginId, data: { ...data, id: 7 } },
      { requestId, pluginId, data, more: true },
      [],
      "an answer",
    ]
  ) await refuses({ ...good, userInfo: answers.sign(answer as object) });
  const notJson = createSign("SHA256").update("{").sign(keys.privateKey, "base64");
  await refuses({ ...good, userInfo: { response: "{", signature: notJson } });
});

Deno.test("an answer signed with the plugin's own key is valid for the library, and refused by verify()", async () => {
  const { requestId, ...forged } = JSON.parse(answersTo(await ask()).userInfo.response);
  assert.ok(requestId);
  const { response, signature } = await signAnything(forged);
  const library = await CgPluginLibHost.initialize(keys.privateKey, keys.publicKey);
  assert.equal(await library.verifyResponse(response, signature), true);
  assert.deepEqual(Object.keys(JSON.parse(response)).sort(), ["data", "pluginId", "requestId"]);
  // It is refused here all the same: this server signed no request with that id.
  const good = answersTo(await ask(), ben);
  await refuses({ ...good, userInfo: { response, signature } });
});

Deno.test("signRequests() never signs what verify() takes for an answer, whatever a browser sends", async () => {
  const more = fc.record({
    type: fc.constantFrom("request", "action"),
    data: fc.constantFrom({ type: "giveRole" }, { id: ada.id, roles: ada.roleIds }),
    requestId: fc.constant("requestId-1-x"),
  }, { requiredKeys: [] });
  const anything = fc.tuple(
    fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), fc.constant('","data":{}')),
    fc.oneof(fc.string(), fc.uuid()),
    fc.oneof(more, fc.constant({})),
  ).map(([iframeUid, pluginId, more]) => ({ iframeUid, pluginId, ...more }));
  let signed = 0;
  await fc.assert(
    fc.asyncProperty(anything, async (body) => {
      const request = identityRequestSchema.safeParse(body).data;
      if (!request) return;
      signed++;
      const requests = await commonGround.signRequests(request);
      for (const type of ["userInfo", "communityInfo"] as const) {
        const { requestId, ...inner } = JSON.parse(requests[type].request);
        assert.deepEqual(inner, { type: "request", data: { type }, ...request });
        const itself = { response: requests[type].request, signature: requests[type].signature };
        await assert.rejects(
          commonGround.verify({ ticket: requests.ticket, userInfo: itself, communityInfo: itself }),
          { code: "invalid_identity_answer", detail: /: it is not an answer\.$/ },
        );
        assert.match(requestId, /^requestId-\d+-[0-9a-f-]{36}$/);
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(signed > 10, "some inputs are well-formed");
});

Deno.test("verify() refuses an answer signed with the plugin's key when Common Ground has a key of its own", async () => {
  const host = newKeyPair();
  const provider = commonGroundProvider({
    privateKey: keys.privateKey,
    publicKey: host.publicKey,
    adminRoles: ["Admin"],
    issuer,
  });
  const itsAnswers = new Answers(keys.publicKey, host.privateKey);
  const signed = await ask(garden.pluginId, provider);
  const good = answersTo(signed, ada, itsAnswers);
  assert.equal((await provider.verify(good)).sub, ada.id);

  // The same answer to the same request, signed with the plugin's key.
  const { response } = good.userInfo;
  const signature = createSign("SHA256").update(response).sign(keys.privateKey, "base64");
  await refuses({ ...good, userInfo: { response, signature } }, provider);
  const library = await CgPluginLibHost.initialize(keys.privateKey, host.publicKey);
  const { request, signature: ours } = signed.userInfo;
  assert.equal(await library.verifyResponse(request, ours), false);
});

Deno.test("identityRequestSchema accepts an iframeUid and a pluginId, and nothing else", () => {
  const good = { iframeUid: "a1B2c3D4e5", pluginId: garden.pluginId };
  assert.ok(identityRequestSchema.safeParse(good).success);
  for (
    const bad of [
      {},
      { iframeUid: good.iframeUid },
      { ...good, iframeUid: "" },
      { ...good, iframeUid: "a".repeat(65) },
      { ...good, iframeUid: 'a","type":"action' },
      { ...good, iframeUid: ["a"] },
      { ...good, pluginId: "p1" },
      { ...good, pluginId: { id: garden.pluginId } },
      { ...good, type: "action", data: { type: "giveRole", roleId: treasurerRoleId, userId: ben.id } },
      { ...good, data: { type: "userInfo" } },
      { ...good, requestId: "requestId-1-x" },
    ]
  ) assert.equal(identityRequestSchema.safeParse(bad).success, false, JSON.stringify(bad));
});

Deno.test("the stand-in refuses what Common Ground refuses: repeated, foreign and other requests", async () => {
  const { userInfo } = await ask();
  answers.answer(ada, userInfo);
  assert.throws(() => answers.answer(ada, userInfo), { message: "DUPLICATED_SIGNED_REQUEST" });
  const strange = await ask(
    garden.pluginId,
    commonGroundProvider({ ...newKeyPair(), adminRoles: [], issuer }),
  );
  assert.throws(() => answers.answer(ada, strange.userInfo), { message: "INVALID_SIGNATURE" });
  const nowhere = await ask("d0000000-0000-4000-8000-00000000ffff");
  assert.throws(() => answers.answer(ada, nowhere.userInfo), { message: "NOT_FOUND" });
  const { response, signature } = await signAnything({ type: "action", data: { type: "giveRole" } });
  assert.throws(() => answers.answer(ada, { request: response, signature }), { message: "INVALID_REQUEST" });
});
