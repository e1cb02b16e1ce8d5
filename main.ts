import { createApp } from "./server/app.ts";
import { configOrExit, readServerConfig } from "./billing/config.ts";
import { quotaConfigurationOrExit } from "./billing/quota/quota_configuration.ts";

const config = configOrExit(readServerConfig);
await quotaConfigurationOrExit(config.databaseUrl);

export const app = await createApp(config);
if (config.showsExamples) {
  const { addAssistant } = await import("./examples/assistant/add_assistant.tsx");
  addAssistant(app);
}
