import type { ComponentChildren } from "preact";
import type { Texts } from "../browser/language/texts.ts";

/** The plugin's pages, in the order in which they are offered. */
const PAGES = [["/", "billing"], ["/assistant", "assistant"]] as const;

interface PageHeaderProps {
  page: (typeof PAGES)[number][1];
  texts: Texts["pages"];
  /** The query of the page's address. It stays on the way: the parent page may have put it there. */
  search: string;
  /** Whether the pages of the examples are there. */
  showsExamples: boolean;
  /** The place for notices: beside the pages, or below them where that is too narrow. */
  children: ComponentChildren;
}

/** What a page is called, and the way to the others. */
export default function PageHeader({ page, texts, search, showsExamples, children }: PageHeaderProps) {
  const pages = PAGES.filter(([_, name]) => showsExamples || name !== "assistant");
  return (
    <header>
      <h1 class="visually-hidden">{texts[page].title}</h1>
      {pages.length > 1 && (
        <nav aria-label={texts.label}>
          {pages.map(([path, name]) => (
            <a key={path} href={path + search} aria-current={name === page ? "page" : undefined}>
              {texts[name].short}
            </a>
          ))}
        </nav>
      )}
      {children}
    </header>
  );
}
