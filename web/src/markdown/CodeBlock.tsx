import { useEffect, useState } from 'react';
import { strings } from '../strings';
import { coloured, paint, type Painted } from './paint';

/** Absent on plain http. */
const clipboard = globalThis.navigator?.clipboard as Clipboard | undefined;
const COPIED_MS = 1_500;

export function CodeBlock({ language, text }: { language: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const pieces = usePaint(language, text);
  const copy = async () => {
    await clipboard?.writeText(text).catch(() => {});
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <figure className="md-code">
      {language && <figcaption>{coloured(language) ?? language}</figcaption>}
      {clipboard && (
        <button type="button" className="md-copy" onClick={copy}>{copied ? strings.copied : strings.copy}</button>
      )}
      <pre tabIndex={0} dir="ltr"><code>{pieces ? pieces.map(drawPiece) : text}</code></pre>
    </figure>
  );
}

function drawPiece([kind, text]: Painted, key: number) {
  return kind ? <span key={key} className={`ink-${kind}`}>{text}</span> : text;
}

/** The text in colours, as soon as the worker has looked at it; plain until then, and where it cannot. */
function usePaint(language: string, text: string): Painted[] | null {
  const [done, setDone] = useState<{ text: string; pieces: Painted[] } | null>(null);
  useEffect(() => {
    let stale = false;
    void paint(language, text).then((pieces) => {
      if (!stale && pieces) setDone({ text, pieces });
    });
    return () => {
      stale = true;
    };
  }, [language, text]);
  return done?.text === text ? done.pieces : null;
}
