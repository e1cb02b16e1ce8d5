import { createLanguage, type Language } from "./language.ts";
import { languages } from "./texts.ts";

const [defaultLanguage, ...others] = languages.map(createLanguage);

/**
 * The language to answer a request in, from its `Accept-Language` header (RFC 9110, 12.5.4). Only the primary subtag
 * counts, so `de-AT` gets `de`. A request that accepts none of the languages gets the first one. For the server.
 */
export function chooseLanguage({ headers }: Request): Language {
  const preferred = (headers.get("accept-language") ?? "").split(",")
    .map((entry) => {
      const [tag, ...parameters] = entry.trim().toLowerCase().split(/\s*;\s*/);
      const quality = parameters.find((parameter) => parameter.startsWith("q="));
      return { locale: tag.split("-")[0], quality: quality ? Number(quality.slice(2)) : 1 };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  for (const { locale } of preferred) {
    const match = [defaultLanguage, ...others].find(({ texts }) => texts.locale === locale);
    if (match) return match;
  }
  return defaultLanguage;
}
