import { useEffect, useState, type ClipboardEvent, type RefObject } from 'react';
import { attach } from './attachments';

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/** Takes files that are dropped anywhere on `area`; says while some hover over it. */
export function useDrop(area: RefObject<HTMLElement | null>, place: string | null): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const box = area.current;
    if (!box || !place) return;
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (!depth) setOver(false);
    };
    const move = (event: DragEvent) => hasFiles(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      attach(place, [...(event.dataTransfer?.files ?? [])]);
    };
    const listeners = [['dragenter', enter], ['dragleave', leave], ['dragover', move], ['drop', drop]] as const;
    for (const [name, listener] of listeners) box.addEventListener(name, listener);
    return () => listeners.forEach(([name, listener]) => box.removeEventListener(name, listener));
  }, [area, place]);
  return over;
}

/** Takes files out of what is pasted; whether there were any. */
export function pasteFiles(event: ClipboardEvent, place: string): boolean {
  const files = [...event.clipboardData.files];
  // A copied table has a picture of itself beside its words: the words are meant.
  if (!files.length || event.clipboardData.getData('text/plain')) return false;
  event.preventDefault();
  attach(place, files);
  return true;
}
