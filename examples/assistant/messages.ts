import { z } from "zod";
import { define } from "../../server/page_context.ts";

/** The body of `POST /api/assistant/messages`. */
export const messageSchema = z.strictObject({ message: z.string().trim().min(1).max(2000) });

/** `POST /api/assistant/messages {message}` answers `{reply}`: the same text. Comes after `requireQuota`, which checks the body. */
export const answerMessage = define.handlers(({ state }) => {
  const { message } = state.body as z.output<typeof messageSchema>;
  return Response.json({ reply: message });
});
