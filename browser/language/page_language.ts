import { createLanguage, type Language } from "./language.ts";

/** The id of the element that holds the texts of the page's language as JSON. */
export const TEXTS_ELEMENT_ID = "texts";

let language: Language | undefined;

/**
 * The language of the current page, from the texts in it. For the browser only: on the server, a page chooses the
 * language of the request and passes texts to its islands.
 */
export function pageLanguage(): Language {
  return language ??= createLanguage(JSON.parse(document.getElementById(TEXTS_ELEMENT_ID)!.textContent!));
}
