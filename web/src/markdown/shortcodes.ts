/** The short names that people know by heart. The picker knows every emoji by its full name. */
const NAMES = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|ok_hand 👌|wave 👋|clap 👏|raised_hands 🙌|pray 🙏|muscle 💪|point_up ☝️|point_down 👇
point_left 👈|point_right 👉|v ✌️|crossed_fingers 🤞|handshake 🤝|writing_hand ✍️|eyes 👀|ear 👂|brain 🧠|smile 😄|smiley 😃
grin 😁|grinning 😀|laughing 😆|joy 😂|rofl 🤣|sweat_smile 😅|wink 😉|blush 😊|innocent 😇|slightly_smiling_face 🙂|relaxed ☺️
upside_down_face 🙃|heart_eyes 😍|star_struck 🤩|kissing_heart 😘|yum 😋|stuck_out_tongue 😛|zany_face 🤪|sunglasses 😎|nerd_face 🤓
smirk 😏|unamused 😒|disappointed 😞|pensive 😔|worried 😟|confused 😕|slightly_frowning_face 🙁|cry 😢|sob 😭|angry 😠|rage 😡
exploding_head 🤯|flushed 😳|scream 😱|fearful 😨|cold_sweat 😰|thinking 🤔|shushing_face 🤫|zipper_mouth_face 🤐|neutral_face 😐
expressionless 😑|no_mouth 😶|grimacing 😬|rolling_eyes 🙄|relieved 😌|sleepy 😪|sleeping 😴|mask 😷|sick 🤢|sneezing_face 🤧
hot_face 🥵|cold_face 🥶|dizzy_face 😵|partying_face 🥳|pleading_face 🥺|yawning_face 🥱|saluting_face 🫡|melting_face 🫠|hugs 🤗
shrug 🤷|facepalm 🤦|skull 💀|ghost 👻|alien 👽|robot 🤖|poop 💩|clown_face 🤡|see_no_evil 🙈|hear_no_evil 🙉|speak_no_evil 🙊
heart ❤️|orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|black_heart 🖤|white_heart 🤍|broken_heart 💔
sparkling_heart 💖|two_hearts 💕|100 💯|boom 💥|sweat_drops 💦|dash 💨|zzz 💤|fire 🔥|sparkles ✨|star ⭐|star2 🌟|zap ⚡|sunny ☀️
cloud ☁️|rainbow 🌈|snowflake ❄️|umbrella ☔|ocean 🌊|earth_africa 🌍|moon 🌙|dog 🐶|cat 🐱|fox_face 🦊|bear 🐻|panda_face 🐼|frog 🐸
monkey_face 🐵|chicken 🐔|penguin 🐧|bird 🐦|bee 🐝|bug 🐛|butterfly 🦋|turtle 🐢|snake 🐍|octopus 🐙|whale 🐳|crab 🦀|unicorn 🦄
rose 🌹|sunflower 🌻|seedling 🌱|evergreen_tree 🌲|four_leaf_clover 🍀|mushroom 🍄|apple 🍎|banana 🍌|lemon 🍋|strawberry 🍓|avocado 🥑
bread 🍞|cheese 🧀|pizza 🍕|hamburger 🍔|fries 🍟|taco 🌮|cookie 🍪|cake 🍰|birthday 🎂|coffee ☕|tea 🍵|beer 🍺|beers 🍻|wine_glass 🍷
champagne 🍾|tada 🎉|confetti_ball 🎊|balloon 🎈|gift 🎁|trophy 🏆|medal 🏅|soccer ⚽|basketball 🏀|guitar 🎸|musical_note 🎵|art 🎨
dart 🎯|game_die 🎲|rocket 🚀|airplane ✈️|car 🚗|bike 🚲|train 🚆|house 🏠|office 🏢|tent ⛺|world_map 🗺️|hourglass ⏳|alarm_clock ⏰
watch ⌚|computer 💻|keyboard ⌨️|phone 📱|camera 📷|bulb 💡|battery 🔋|mag 🔍|lock 🔒|unlock 🔓|key 🔑|hammer 🔨|wrench 🔧|gear ⚙️
package 📦|mailbox 📫|email ✉️|memo 📝|pencil2 ✏️|books 📚|book 📖|bookmark 🔖|calendar 📅|pushpin 📌|paperclip 📎|scissors ✂️
chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|moneybag 💰|gem 💎|bell 🔔|no_bell 🔕|mega 📣|speech_balloon 💬|thought_balloon 💭
white_check_mark ✅|heavy_check_mark ✔️|x ❌|warning ⚠️|no_entry ⛔|question ❓|exclamation ❗|bangbang ‼️|recycle ♻️|construction 🚧
arrow_up ⬆️|arrow_down ⬇️|arrow_left ⬅️|arrow_right ➡️|checkered_flag 🏁|red_circle 🔴|green_circle 🟢|yellow_circle 🟡|white_flag 🏳️
`;

const table = new Map(NAMES.trim().split(/[|\n]/).map((pair) => pair.split(' ') as [string, string]));

export function shortcode(name: string): string | undefined {
  return table.get(name);
}

/** All of them, name first. */
export function shortcodes(): Iterable<[string, string]> {
  return table;
}
