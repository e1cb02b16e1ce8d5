import { z } from "zod";
import { post } from "../../server/methods.ts";
import { readJson } from "../../billing/http/request_body.ts";

const messageSchema = z.strictObject({ message: z.string().trim().min(1).max(2000) });

/** `POST /api/assistant/messages {message}` answers `{reply}`: the same text. */
export const answerMessage = post(async ({ req }) => {
  const { message } = await readJson(req, messageSchema);
  return Response.json({ reply: message });
});
