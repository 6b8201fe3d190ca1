const native = CSS.supports('field-sizing', 'content');

/** Makes a text field as tall as its text, where the browser does not do so itself. */
export function grow(field: HTMLTextAreaElement): void {
  if (native) return;
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
