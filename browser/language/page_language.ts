import { createLanguage, type Language } from "./language.ts";

/** The element of a page that holds the texts of its language, as JSON. */
export const TEXTS_ELEMENT_ID = "texts";

let known: Language | undefined;

/**
 * The language of the page this runs in, put together from the texts that came with it. For the browser: on the server
 * an island shows what the page hands it, and the page knows whom it is for.
 */
export function pageLanguage(): Language {
  return known ??= createLanguage(JSON.parse(document.getElementById(TEXTS_ELEMENT_ID)!.textContent!));
}
