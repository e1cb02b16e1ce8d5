import { requireQuota } from "../../../server/require_quota.ts";

/** Whatever is asked of the assistant counts as a message. */
export default requireQuota("ai_chat_message");
