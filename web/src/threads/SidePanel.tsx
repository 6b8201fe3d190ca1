import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { usePhone } from '../shell/usePhone';
import { strings } from '../strings';
import { closeSide } from '../timeline/talk';
import { IconButton } from '../ui/controls';

interface Props {
  title: string;
  action?: ReactNode;
  children: ReactNode;
}

/** What stands beside a session; on a phone, in its place. Esc closes it. */
export function SidePanel({ title, action, children }: Props) {
  const phone = usePhone();
  const Panel = phone ? 'main' : 'aside';
  const Title = phone ? 'h1' : 'h2';
  const box = useRef<HTMLElement>(null);
  // What had the focus is not there any more.
  useEffect(() => {
    if (phone) box.current!.focus();
  }, [phone]);
  const keys = (event: KeyboardEvent) => {
    // An open menu closes itself first.
    if (event.key !== 'Escape' || event.defaultPrevented || (event.target as HTMLElement).closest('[popover]')) return;
    event.preventDefault();
    closeSide();
  };
  return (
    <Panel ref={box} className="panel thread" aria-label={title} data-landmark tabIndex={-1} onKeyDown={keys}>
      <header className="panel-head">
        {phone && <IconButton icon="back" label={strings.close} onClick={closeSide} />}
        <Title>{title}</Title>
        {action}
        {!phone && <IconButton icon="close" label={strings.close} onClick={closeSide} />}
      </header>
      {children}
    </Panel>
  );
}
