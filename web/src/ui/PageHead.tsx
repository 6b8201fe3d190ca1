import type { ReactNode } from 'react';
import { navigate, paths } from '../shell/router';
import { usePhone } from '../shell/usePhone';
import { strings } from '../strings';
import { IconButton } from './controls';

interface Props {
  title: string;
  lead?: string;
  back?: string;
  children?: ReactNode;
}

export function PageHead({ title, lead, back, children }: Props) {
  const phone = usePhone();
  const to = back ?? (phone ? paths.home : null);
  return (
    <header className="page-head">
      {to !== null && <IconButton icon="back" label={strings.back} onClick={() => navigate(to)} />}
      <div className="page-head-text">
        <h1><bdi>{title}</bdi></h1>
        {lead && <p className="quiet">{lead}</p>}
      </div>
      {children}
    </header>
  );
}
