import type { TestSimulator } from "../../testing.ts";
import samples from "../fixtures/samples.json" with { type: "json" };
import { collectObjects } from "./collect.ts";
import { compare, type Difference } from "./compare.ts";
import { explained } from "./explained.ts";

/** The differences of one type of object. */
export interface Finding {
  object: string;
  /** False when no such object was created. */
  isReturned: boolean;
  differences: (Difference & { why: string | undefined })[];
}

/** Compares one object of each type with its official sample. */
export async function findDifferences(rig: TestSimulator): Promise<Finding[]> {
  const found = await collectObjects(rig);
  return Object.entries(samples).map(([object, sample]) => ({
    object,
    isReturned: found.has(object),
    differences: compare(sample, found.get(object)).map((difference) => ({
      ...difference,
      why: explained[object]?.[difference.path],
    })),
  }));
}

const meanings: Record<Difference["kind"], string> = {
  extra: "only the simulator has it",
  missing: "only the sample has it",
  type: "another type",
};

/** Writes the differences as Markdown. */
export function writeReport(findings: Finding[]): string {
  const same = findings.filter(({ differences }) => differences.length === 0).map(({ object }) =>
    `\`${object}\``
  );
  const rows = findings.flatMap(({ object, differences }) =>
    differences.map(({ path, kind, why = "**not explained**" }) => {
      return `| \`${object}\` | \`${path}\` | ${meanings[kind]} | ${why} |`;
    })
  );
  return [
    "# How the simulator's objects differ from Stripe's samples",
    "",
    "One object of each type, created through the official SDK, is compared with the",
    "[official sample](../fixtures/README.md): the fields and their types. `write_report.ts` writes this page;",
    "`conformance_test.ts` fails when a difference has no reason or a reason no difference.",
    "",
    `Without any difference: ${same.join(", ")}.`,
    "",
    "| object | field | difference | why |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
