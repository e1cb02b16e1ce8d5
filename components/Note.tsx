import type { ComponentChildren } from "preact";

interface NoteProps {
  title?: string;
  text: string;
  tone?: "calm" | "warning";
  /** Something is under way, and the note says what. */
  isBusy?: boolean;
  /** It takes the place of what the person was using, so their place in the page moves here. */
  takesFocus?: boolean;
  children?: ComponentChildren;
}

const focus = (note: HTMLElement | null) => note?.focus();

/** A framed sentence or two, with room for what to do about it. */
export default function Note({ title, text, tone = "calm", isBusy, takesFocus, children }: NoteProps) {
  return (
    <div class="note" data-tone={tone} {...(takesFocus ? { ref: focus, tabIndex: -1 } : {})}>
      {title && <h2>{title}</h2>}
      <p class={isBusy ? "busy" : undefined}>{text}</p>
      {children}
    </div>
  );
}
