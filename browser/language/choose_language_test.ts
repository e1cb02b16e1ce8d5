import assert from "node:assert/strict";
import { chooseLanguage } from "./choose_language.ts";

for (
  const [acceptLanguage, locale] of [
    [null, "en"],
    ["", "en"],
    ["de", "de"],
    ["de-AT,de;q=0.9,en;q=0.8", "de"],
    ["fr-FR, fr;q=0.9, de;q=0.5, en;q=0.3", "de"],
    ["en;q=0.4, de;q=0.6", "de"],
    ["en, de", "en"],
    ["DE", "de"],
    ["de;q=0", "en"],
    ["fr", "en"],
    ["*", "en"],
    ["de;q=nonsense", "en"],
    [",;=,,q", "en"],
  ] as const
) {
  Deno.test(`chooseLanguage() returns ${locale} for Accept-Language ${JSON.stringify(acceptLanguage)}`, () => {
    const headers = acceptLanguage === null ? undefined : { "accept-language": acceptLanguage };
    const { texts } = chooseLanguage(new Request("http://plugin.test/", { headers }));
    assert.equal(texts.locale, locale);
  });
}
