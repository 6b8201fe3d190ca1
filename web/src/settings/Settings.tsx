import { navigate, paths } from '../shell/router';
import { usePhone } from '../shell/usePhone';
import { strings } from '../strings';
import { Link } from '../ui/controls';
import { PageHead } from '../ui/PageHead';
import Encryption from '../e2ee/Encryption';
import { Account } from './Account';
import { Appearance } from './Appearance';
import { Devices } from './Devices';
import { Profile } from './Profile';
import { Shortcuts } from './Shortcuts';

const PAGES = [
  ['profile', strings.profile, Profile],
  ['appearance', strings.appearance, Appearance],
  ['account', strings.account, Account],
  ['encryption', strings.encryption, Encryption],
  ['devices', strings.devices, Devices],
  ['shortcuts', strings.shortcuts, Shortcuts],
] as const;

export default function Settings({ page }: { page: string }) {
  const phone = usePhone();
  const [key, title, Body] = PAGES.find(([name]) => name === page) ?? PAGES[0];
  return (
    <main id="main" className="page" data-landmark tabIndex={-1}>
      <PageHead title={strings.settings} />
      <div className="page-body settings">
        <nav className="settings-nav" aria-label={strings.settings}>
          {phone ? (
            <select aria-label={strings.settings} value={key} onChange={(event) => navigate(paths.settings(event.target.value))}>
              {PAGES.map(([name, label]) => <option key={name} value={name}>{label}</option>)}
            </select>
          ) : PAGES.map(([name, label]) => (
            <Link key={name} to={paths.settings(name)} className="settings-link" current={name === key}>{label}</Link>
          ))}
        </nav>
        <section className="settings-body" aria-labelledby="settings-title">
          <h2 id="settings-title">{title}</h2>
          <Body />
        </section>
      </div>
    </main>
  );
}
