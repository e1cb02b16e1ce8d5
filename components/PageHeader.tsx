import type { ComponentChildren } from "preact";
import type { Texts } from "../browser/language/texts.ts";

/** The plugin's pages, in the order of the navigation. */
const PAGES = [["/", "billing"], ["/assistant", "assistant"]] as const;

interface PageHeaderProps {
  page: (typeof PAGES)[number][1];
  texts: Texts["pages"];
  /** The query of the page's address. Links keep it, because the parent page may need it. */
  search: string;
  /** Whether the pages of the examples are served. */
  showsExamples: boolean;
  /** The notices: beside the navigation, or below it on narrow screens. */
  children: ComponentChildren;
}

/** The title of a page and the links to the other pages. */
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
