import { useState } from 'react';
import { auth } from '../net/api';
import { ApiError } from '../net/http';
import { navigate, paths } from '../shell/router';
import { signIn } from '../store/app';
import { strings } from '../strings';
import { Button, Field, Link } from '../ui/controls';
import { AuthCard } from './AuthCard';

/** What the last screen wants said on the next one. */
let parting: string | null = null;

function takeParting(): string | null {
  const text = parting;
  parting = null;
  return text;
}

export function SignIn() {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [note] = useState(takeParting);
  const submit = async () => {
    try {
      await signIn(login.trim(), password);
    } catch (error) {
      if (isUnverified(error) && login.includes('@')) return navigate(paths.verify(login.trim()));
      throw error;
    }
  };
  return (
    <AuthCard title={strings.signIn} lead={strings.signInLead} note={note} action={strings.signIn} onSubmit={submit}
      foot={<>
        <p>{strings.noAccount} <Link to={paths.register}>{strings.register}</Link></p>
        <p><Link to={paths.forgot}>{strings.forgot}</Link></p>
      </>}>
      <Field label={strings.login} name="login" autoComplete="username" autoCapitalize="none" spellCheck={false}
        required autoFocus value={login} onChange={(event) => setLogin(event.target.value)} />
      <Field label={strings.password} name="password" type="password" autoComplete="current-password" required
        value={password} onChange={(event) => setPassword(event.target.value)} />
    </AuthCard>
  );
}

function isUnverified(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'forbidden';
}

export function Register() {
  const [name, setName] = useState('');
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const submit = async () => {
    const account = {
      username: username.trim(),
      password,
      ...(email.trim() ? { email: email.trim() } : {}),
      ...(name.trim() ? { name: name.trim() } : {}),
    };
    const { verification_required } = await auth.register(account);
    if (verification_required) navigate(paths.verify(email.trim()));
    else await signIn(account.username, password);
  };
  return (
    <AuthCard title={strings.register} lead={strings.registerLead} action={strings.register} onSubmit={submit}
      foot={<p>{strings.haveAccount} <Link to={paths.login}>{strings.signIn}</Link></p>}>
      <Field label={strings.username} hint={strings.usernameHint} name="username" autoComplete="username"
        autoCapitalize="none" spellCheck={false} maxLength={32} required autoFocus value={username}
        onChange={(event) => setUsername(event.target.value)} />
      <Field label={strings.yourName} hint={strings.yourNameHint} name="name" autoComplete="name" maxLength={80}
        value={name} onChange={(event) => setName(event.target.value)} />
      <Field label={strings.email} hint={strings.emailHint} name="email" type="email" autoComplete="email"
        value={email} onChange={(event) => setEmail(event.target.value)} />
      <Field label={strings.password} hint={strings.passwordHint} name="password" type="password"
        autoComplete="new-password" minLength={8} required value={password}
        onChange={(event) => setPassword(event.target.value)} />
    </AuthCard>
  );
}

const CODE = { name: 'code', autoComplete: 'one-time-code', autoCapitalize: 'none', spellCheck: false, required: true } as const;

export function Verify({ email: given, code: givenCode }: { email: string; code: string }) {
  const [email, setEmail] = useState(given);
  const [code, setCode] = useState(givenCode);
  const [note, setNote] = useState<string | null>(given ? strings.codeLead(given) : null);
  const submit = async () => {
    await auth.verify(email.trim(), code.trim());
    parting = strings.verified;
    navigate(paths.login);
  };
  const resend = async () => {
    await auth.resend(email.trim()).catch(() => {});
    setNote(strings.resent);
  };
  return (
    <AuthCard title={strings.verifyTitle} note={note} action={strings.verify} onSubmit={submit}
      foot={<>
        <Button look="quiet" onClick={resend} disabled={!email.trim()}>{strings.resend}</Button>
        <p><Link to={paths.login}>{strings.signIn}</Link></p>
      </>}>
      {!given && (
        <Field label={strings.email} name="email" type="email" autoComplete="email" required value={email}
          onChange={(event) => setEmail(event.target.value)} />
      )}
      <Field {...CODE} label={strings.code} autoFocus value={code} onChange={(event) => setCode(event.target.value)} />
    </AuthCard>
  );
}

export function Forgot() {
  const [email, setEmail] = useState('');
  const submit = async () => {
    await auth.forgot(email.trim());
    navigate(paths.reset(email.trim()));
  };
  return (
    <AuthCard title={strings.forgotTitle} lead={strings.forgotLead} action={strings.sendCode} onSubmit={submit}
      foot={<>
        <p><Link to={paths.reset('')}>{strings.haveCode}</Link></p>
        <p><Link to={paths.login}>{strings.signIn}</Link></p>
      </>}>
      <Field label={strings.email} name="email" type="email" autoComplete="email" required autoFocus value={email}
        onChange={(event) => setEmail(event.target.value)} />
    </AuthCard>
  );
}

export function Reset({ email: given, code: givenCode }: { email: string; code: string }) {
  const [email, setEmail] = useState(given);
  const [code, setCode] = useState(givenCode);
  const [password, setPassword] = useState('');
  const submit = async () => {
    await auth.reset(email.trim(), code.trim(), password);
    parting = strings.resetDone;
    navigate(paths.login);
  };
  return (
    <AuthCard title={strings.resetTitle} note={given && !givenCode ? strings.codeLead(given) : null}
      action={strings.changePassword} onSubmit={submit}
      foot={<p><Link to={paths.login}>{strings.signIn}</Link></p>}>
      {!given && (
        <Field label={strings.email} name="email" type="email" autoComplete="email" required value={email}
          onChange={(event) => setEmail(event.target.value)} />
      )}
      <Field {...CODE} label={strings.code} autoFocus value={code} onChange={(event) => setCode(event.target.value)} />
      <Field label={strings.newPassword} hint={strings.passwordHint} name="password" type="password" minLength={8}
        autoComplete="new-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
    </AuthCard>
  );
}
