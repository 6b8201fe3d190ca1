import { useState } from 'react';
import { strings } from '../strings';

/** Absent on plain http. */
const clipboard = globalThis.navigator?.clipboard as Clipboard | undefined;

export function CodeBlock({ language, text }: { language: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await clipboard?.writeText(text).catch(() => {});
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <figure className="md-code">
      {language && <figcaption>{language}</figcaption>}
      {clipboard && (
        <button type="button" className="md-copy" onClick={copy}>{copied ? strings.copied : strings.copy}</button>
      )}
      <pre tabIndex={0}><code>{text}</code></pre>
    </figure>
  );
}
