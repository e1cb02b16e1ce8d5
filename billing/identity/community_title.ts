import type { CommunityId } from "../ids.ts";

/** In characters (code points), as the column `communities.title` counts them. */
const MAX_LENGTH = 200;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const lengthOf = (text: string) => [...text].length;

/**
 * A community's title from whatever the parent app gives as one: on one line, at most 200 characters, what is longer ends
 * with an ellipsis. The community's id in place of a title that is missing, no text, or shows nothing. A title is only
 * shown, so no title keeps people out.
 */
export function communityTitle(given: unknown, id: CommunityId): string {
  const text = (typeof given === "string" ? given : "").toWellFormed().replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim();
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(text)) return id;
  return lengthOf(text) <= MAX_LENGTH ? text : `${begin(text, MAX_LENGTH - 1)}…`;
}

/** As much of the text as fits, without cutting what is read as one character. */
function begin(text: string, max: number): string {
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    if (lengthOf(kept + segment) > max) break;
    kept += segment;
  }
  return kept.trimEnd() || [...text].slice(0, max).join("");
}
