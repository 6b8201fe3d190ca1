import { useId, useRef, type KeyboardEvent, type ReactNode, type ToggleEvent } from 'react';
import { Icon, type IconName } from './Icon';

export interface MenuItem {
  label: string;
  icon?: IconName;
  danger?: boolean;
  act: () => void;
}

interface Props {
  label: string;
  icon?: IconName;
  className?: string;
  children?: ReactNode;
  /** Groups of items, with a line between them. */
  groups: MenuItem[][];
}

/** A button with a menu in the top layer, so that no scroller clips it. */
export function Menu({ label, icon = 'more', className = 'icon-button', children, groups }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const shown = groups.filter((group) => group.length > 0);

  const place = (event: ToggleEvent<HTMLDivElement>) => {
    button.current?.setAttribute('aria-expanded', String(event.newState === 'open'));
    if (event.newState !== 'open') return;
    const box = list.current!;
    const anchor = button.current!.getBoundingClientRect();
    const left = Math.min(anchor.right - box.offsetWidth, innerWidth - box.offsetWidth - 8);
    const below = anchor.bottom + 4;
    const top = below + box.offsetHeight > innerHeight - 8 ? anchor.top - box.offsetHeight - 4 : below;
    box.style.left = `${Math.max(8, left)}px`;
    box.style.top = `${Math.max(8, top)}px`;
    items(box)[0]?.focus();
  };

  const keys = (event: KeyboardEvent) => {
    const all = items(list.current!);
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Tab') list.current!.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    all[(to + all.length) % all.length]?.focus();
  };

  const choose = (item: MenuItem) => {
    list.current!.hidePopover();
    button.current!.focus();
    item.act();
  };

  return (
    <>
      <button ref={button} type="button" className={className} aria-label={label} title={label}
        aria-haspopup="menu" aria-expanded="false" popoverTarget={id}>
        {children ?? <Icon name={icon} />}
      </button>
      <div ref={list} id={id} popover="auto" role="menu" aria-label={label} className="menu" onToggle={place} onKeyDown={keys}>
        {shown.map((group, at) => (
          <div key={at} role="group" className="menu-group">
            {group.map((item) => (
              <button key={item.label} type="button" role="menuitem" tabIndex={-1}
                className={item.danger ? 'menu-item menu-danger' : 'menu-item'} onClick={() => choose(item)}>
                {item.icon && <Icon name={item.icon} size={18} />}
                {item.label}
              </button>
            ))}
          </div>
        ))}
      </div>
    </>
  );
}

function items(box: HTMLElement): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>('[role=menuitem]')];
}
