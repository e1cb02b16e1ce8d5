/**
 * `deno task demo`: an upgrade as a person does it. An admin opens the community page, upgrades in the plugin, pays, and
 * comes back to the pro plan. Headless, on free ports.
 */
import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import {
  describeMeasure,
  type Measure,
  measureBillingInfo,
  measureScripts,
  measureStart,
} from "../bench/measures.ts";
import { buildApp } from "../tests/support/build.ts";
import { launchBrowser } from "../tests/support/browser.ts";
import { projectPath } from "./paths.ts";
import { freePorts } from "./processes/ports.ts";
import { SERVICES, type Stack, startStack } from "./stack.ts";

const FOLDER = projectPath(".local/demo");

interface Step {
  name: string;
  milliseconds: number;
}

interface Report {
  ok: boolean;
  /** The plan the plugin showed at the end. */
  plan: string | null;
  steps: Step[];
  measures: Measure[];
  screenshots: string[];
  error?: string;
}

async function main(args: string[]): Promise<number> {
  const { json } = parseArgs({ args, options: { json: { type: "boolean", default: false } } }).values;
  // With --json standard output holds one line, and progress goes to standard error.
  const tell = json ? console.error : console.log;
  const report: Report = { ok: false, plan: null, steps: [], measures: [], screenshots: [] };
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work();
    const milliseconds = Math.round(performance.now() - begun);
    report.steps.push({ name, milliseconds });
    tell(`✓ ${name} (${milliseconds} ms)`);
    return result;
  };

  await mkdir(FOLDER, { recursive: true });
  try {
    await demonstrate(report, step);
    report.ok = true;
    tell(`\nThe community is on the ${report.plan} plan.`);
    for (const measure of report.measures) tell(describeMeasure(measure));
    tell(`Screenshots: ${report.screenshots.join(", ")}`);
  } catch (error) {
    report.error = error instanceof Error ? error.message : String(error);
    tell(`✗ After "${report.steps.at(-1)?.name ?? "the start"}": ${report.error}`);
  }
  if (json) console.log(JSON.stringify(report));
  return report.ok ? 0 : 1;
}

type RunStep = <T>(name: string, work: () => Promise<T>) => Promise<T>;

async function demonstrate(report: Report, step: RunStep): Promise<void> {
  report.measures.push(await step("deno task dev starts everything", () => measureStart(freePortBase())));
  await step("the plugin is built", buildApp);
  const stack = await step(
    "the stack is up",
    () => startStack({ portBase: 0, ephemeral: true, app: "built" }),
  );
  let browser: Browser | undefined;
  try {
    browser = await step("a browser is up", launchBrowser);
    await upgrade(stack, browser, report, step);
    report.measures.push(await measureBillingInfo(stack), await measureScripts(stack));
  } finally {
    await browser?.close();
    await stack.stop();
  }
}

async function upgrade({ urls }: Stack, browser: Browser, report: Report, step: RunStep): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const plugin = page.frameLocator("iframe[data-dues]");

  await step("the admin opens the community page", async () => {
    await page.goto(`${urls.parent}/c/garden/`);
    await page.getByRole("button", { name: /Continue as .*\(admin\)/ }).click();
  });
  await step("the plugin shows the free plan and its limits", async () => {
    await plugin.locator("[data-plan=free]").waitFor();
    await plugin.getByText("100 AI chat messages every 30 days").waitFor();
    report.screenshots.push(...await screenshots(page, "before"));
  });
  await step("Upgrade leads to Stripe's checkout page", async () => {
    await plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
    await page.waitForURL(`${urls.stripe}/**`);
  });
  await step("the admin pays and is back in the community", async () => {
    await page.getByRole("button", { name: /^Pay/ }).click();
    await page.waitForURL(`${urls.parent}/c/garden/**`);
  });
  await step("the webhook lands and the plugin shows the pro plan", async () => {
    await plugin.locator("[data-plan=pro]").waitFor();
    await plugin.getByRole("button", { name: "Manage billing" }).waitFor();
    report.plan = await plugin.locator("[data-plan]").getAttribute("data-plan");
  });
  await step("the invoice is paid", () => plugin.locator("[data-status=paid]").waitFor());
  await step("the address is clean again", () => page.waitForURL(`${urls.parent}/c/garden/`));
  report.screenshots.push(...await screenshots(page, "after"));
}

/** Takes screenshots of the iframe and of the community page around it. */
async function screenshots(page: Page, name: string): Promise<string[]> {
  await page.locator("iframe[data-dues]").screenshot({ path: `${FOLDER}/${name}.png` });
  await page.evaluate("scrollTo(0, 0)");
  await page.screenshot({ path: `${FOLDER}/${name}-page.png` });
  return [`.local/demo/${name}.png`, `.local/demo/${name}-page.png`];
}

/** The first of enough free ports in a row. */
function freePortBase(): number {
  const [port] = freePorts(1);
  return Math.min(port, 65_536 - SERVICES.length);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
