import { texts } from "../browser/texts.ts";

/** The last way to Stripe, for when neither this window nor the parent may go there. */
export default function NewTabLink({ url }: { url: string | undefined }) {
  return <a class="stuck" href={url} target="_blank" rel="noopener">{texts.openInNewTab}</a>;
}
