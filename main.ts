import { createApp } from "./app.ts";
import { configOrExit, readServerConfig } from "./billing/config.ts";

export const app = await createApp(configOrExit(readServerConfig));
