import type { ComponentChildren } from "preact";

interface NoteProps {
  title?: string;
  text: string;
  tone?: "calm" | "warning";
  /** Shows that something is in progress. */
  isBusy?: boolean;
  /** Moves the focus here, because the note replaces what the person was using. */
  takesFocus?: boolean;
  children?: ComponentChildren;
}

const focus = (note: HTMLElement | null) => note?.focus();

/** A framed message. The children are the actions. */
export default function Note({ title, text, tone = "calm", isBusy, takesFocus, children }: NoteProps) {
  return (
    <div class="note" data-tone={tone} {...(takesFocus ? { ref: focus, tabIndex: -1 } : {})}>
      {title && <h2>{title}</h2>}
      <p class={isBusy ? "busy" : undefined}>{text}</p>
      {children}
    </div>
  );
}
