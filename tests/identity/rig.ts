import { newKeyPair, startCommonGround } from "../../local/common_ground/start_common_ground.ts";
import { Children } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { buildApp } from "../support/build.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** The stack with the stand-in for Common Ground in place of the demo parent app, and a plugin configured for it. */
export interface CommonGroundStack extends AsyncDisposable {
  stack: TestStack;
  /** Common Ground's origin. */
  hostUrl: string;
  pluginUrl: string;
  stop(): Promise<void>;
}

/** Starts everything. `await using` or stop() stops it. */
export async function startCommonGroundStack(): Promise<CommonGroundStack> {
  await buildApp();
  const stack = await startTestStack({ app: "none" });
  const [hostPort, pluginPort] = freePorts(2);
  const pluginUrl = `http://127.0.0.1:${pluginPort}`;
  const keys = newKeyPair();
  const host = startCommonGround({ port: hostPort, pluginUrl, requestKeys: keys });
  const { PARENT_APP_JWT_SECRET: _, ...env } = stack.env;
  const children = new Children();
  await children.start({
    name: "plugin",
    module: "local/processes/serve_module.ts",
    args: ["_fresh/server.js", String(pluginPort)],
    env: {
      ...env,
      PARENT_APP_URL: host.url,
      PLUGIN_URL: pluginUrl,
      COMMON_GROUND_PRIVATE_KEY: keys.privateKey,
      COMMON_GROUND_PUBLIC_KEY: keys.publicKey,
    },
    readyWhen: { url: `${pluginUrl}/api/health` },
  });
  const stop = async () => {
    await Promise.all([children.stop(), host.stop()]);
    await stack.stop();
  };
  return { stack, hostUrl: host.url, pluginUrl, stop, [Symbol.asyncDispose]: stop };
}
