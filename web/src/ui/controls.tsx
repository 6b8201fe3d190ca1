import { useId, useState, type ButtonHTMLAttributes, type InputHTMLAttributes, type MouseEvent, type ReactNode } from 'react';
import { href, navigate } from '../shell/router';
import { strings } from '../strings';
import { Icon, type IconName } from './Icon';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'primary' | 'plain' | 'danger' | 'quiet';
  busy?: boolean;
}

export function Button({ look = 'plain', busy, className = '', disabled, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={`button button-${look} ${className}`}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
    />
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  label: string;
  size?: number;
}

export function IconButton({ icon, label, size = 20, className = '', ...rest }: IconButtonProps) {
  return (
    <button type="button" {...rest} className={`icon-button ${className}`} aria-label={label} title={label}>
      <Icon name={icon} size={size} />
    </button>
  );
}

interface LinkProps {
  to: string;
  className?: string;
  children: ReactNode;
  label?: string;
  current?: boolean;
  onFollow?: () => void;
}

export function Link({ to, className, children, label, current, onFollow }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onFollow?.();
    navigate(to);
  };
  return (
    <a href={href(to)} className={className} onClick={follow} aria-label={label} title={label}
      aria-current={current ? 'page' : undefined}>
      {children}
    </a>
  );
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  error?: string | null;
}

export function Field({ label, hint, error, id, type, ...rest }: FieldProps) {
  const own = useId();
  const [shown, setShown] = useState(false);
  const inputId = id ?? own;
  const secret = type === 'password';
  const about = error ? `${inputId}-error` : hint ? `${inputId}-hint` : undefined;
  return (
    <div className="field">
      <label htmlFor={inputId}>
        {label}
        {!rest.required && !rest.readOnly && <span className="field-optional"> {strings.optional}</span>}
      </label>
      <div className="field-box">
        <input
          {...rest}
          id={inputId}
          type={secret && shown ? 'text' : type}
          aria-describedby={about}
          aria-invalid={error ? true : undefined}
        />
        {secret && (
          <button type="button" className="field-show" aria-pressed={shown} aria-label={strings.showPassword}
            onClick={() => setShown(!shown)}>
            {shown ? strings.hide : strings.show}
          </button>
        )}
      </div>
      {error ? <p className="field-error" id={`${inputId}-error`}>{error}</p>
        : hint && <p className="field-hint" id={`${inputId}-hint`}>{hint}</p>}
    </div>
  );
}

export function FormError({ text }: { text: string | null }) {
  if (!text) return null;
  return <p className="form-error" role="alert"><Icon name="alert" size={16} /> {text}</p>;
}

interface SwitchProps {
  label: string;
  hint?: string;
  on: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ label, hint, on, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div className="switch-row">
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && <p className="field-hint" id={`${id}-hint`}>{hint}</p>}
      </div>
      <input id={id} type="checkbox" role="switch" className="switch" checked={on}
        aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onChange(event.target.checked)} />
    </div>
  );
}

interface ChoiceProps {
  legend: string;
  name: string;
  value: string;
  options: [string, string, string?][];
  onChange: (value: string) => void;
  disabled?: boolean;
}

/** One of a few: radio buttons drawn as cards or segments. */
export function Choice({ legend, name, value, options, onChange, disabled }: ChoiceProps) {
  const described = options.some(([, , hint]) => hint);
  return (
    <fieldset className={described ? 'choice choice-cards' : 'choice choice-segments'} disabled={disabled}>
      <legend>{legend}</legend>
      <div className="choice-options">
        {options.map(([key, label, hint]) => (
          <label key={key} className="choice-option">
            <input type="radio" name={name} value={key} checked={value === key} onChange={() => onChange(key)} />
            <span className="choice-label">{label}</span>
            {hint && <span className="choice-hint">{hint}</span>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
