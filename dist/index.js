import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 9896:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("fs");

/***/ }),

/***/ 6698:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:async_hooks");

/***/ }),

/***/ 1421:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:child_process");

/***/ }),

/***/ 7598:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");

/***/ }),

/***/ 3024:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");

/***/ }),

/***/ 1455:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs/promises");

/***/ }),

/***/ 7067:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:http");

/***/ }),

/***/ 4708:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:https");

/***/ }),

/***/ 8995:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:module");

/***/ }),

/***/ 8161:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");

/***/ }),

/***/ 6760:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");

/***/ }),

/***/ 1708:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:process");

/***/ }),

/***/ 7075:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:stream");

/***/ }),

/***/ 8500:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:timers/promises");

/***/ }),

/***/ 7975:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:util");

/***/ }),

/***/ 8522:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:zlib");

/***/ }),

/***/ 857:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("os");

/***/ }),

/***/ 6713:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ v),
/* harmony export */   b: () => (/* binding */ T),
/* harmony export */   c: () => (/* binding */ S),
/* harmony export */   d: () => (/* binding */ f),
/* harmony export */   e: () => (/* binding */ w),
/* harmony export */   f: () => (/* binding */ b)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(8995);
/* harmony import */ var _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(7641);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(3024);
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(8500);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var p=9e5;function f(n){return n.replace(/[&<>]/g,o=>o==="&"?"&amp;":o==="<"?"&lt;":"&gt;").replace(/([\\`*_[\]|~#])/g,"\\$1").replace(/@(?=[A-Za-z0-9])/g,"@\u200B").replace(/\r?\n/g," ")}function w(n){return`<code>${n.replace(/[&<>|\n]/g,o=>o===`
`?" ":`&#${o.charCodeAt(0)};`)}</code>`}function b(n,o){let i=[],a=t=>i.push(t),c=t=>"`".repeat(Math.max(3,...[...t.matchAll(/`+/g)].map(([e])=>e.length+1))),u=(t,e)=>`${c(t)}${e}
${t}
${c(t)}`;return{heading:t=>a(`## ${t}`),text:t=>a(t),table(t,e){let r=s=>`| ${s.join(" | ")} |`;a([r(t),r(t.map(()=>"---")),...e.map(r)].join(`
`))},code:(t,e="")=>a(u(t,e)),details:(t,e)=>a(`<details><summary>${t}</summary>

${e}

</details>`),top:t=>i.unshift(t),write(){if(n===void 0||n===""||i.length===0)return;let t=[],e=0;for(let r of i){if(e+=Buffer.byteLength(r)+2,e>p){t.push(`_The rest (${i.length-t.length} parts) is left out: GitHub shows at most 1 MiB. The log has it._`);break}t.push(r)}i=[];try{(0,node_fs__WEBPACK_IMPORTED_MODULE_2__.appendFileSync)(n,`${t.join(`

`)}

`,"utf8")}catch(r){o(`The job summary could not be written: ${r.message}`)}}}}function v(n){return n.startsWith("cn-")?"sts.amazonaws.com.cn":"sts.amazonaws.com"}async function T({env:n,audience:o,mask:i,fetch:a=fetch}){let c=n.ACTIONS_ID_TOKEN_REQUEST_URL,u=n.ACTIONS_ID_TOKEN_REQUEST_TOKEN;if(!c||!u)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_1__.a({code:"CredentialsMissing",resource:"role-to-assume",cause:"GitHub gives this job no OIDC token",hint:"Add `permissions: id-token: write` to this job, and to the calling job when the workflow is called; pull requests from forks never get one"});let t=c.includes("?")?"&":"?",e="";for(let r=1;r<=4;r+=1){try{let s=await a(`${c}${t}audience=${encodeURIComponent(o)}`,{headers:{authorization:`Bearer ${u}`,accept:"application/json; api-version=2.0"},signal:AbortSignal.timeout(1e4)});if(s.ok){let{value:g}=await s.json();if(typeof g=="string"&&g!=="")return i(g),g;e="the answer held no token"}else if(e=`HTTP ${s.status}`,s.status<500&&s.status!==408&&s.status!==429)break}catch(s){e=s.message}r<4&&await (0,node_timers_promises__WEBPACK_IMPORTED_MODULE_3__.setTimeout)(250*2**r*Math.random())}throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_1__.a({code:"CredentialsMissing",resource:"role-to-assume",cause:`GitHub's OIDC endpoint gave no token: ${e}`,hint:"Re-run the job; see https://www.githubstatus.com when it persists"})}function S(n){try{return JSON.parse(Buffer.from(n.split(".")[1]??"","base64url").toString("utf8"))}catch{return{}}}


/***/ }),

/***/ 7641:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ i),
/* harmony export */   b: () => (/* binding */ d)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(8995);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var i=class extends Error{failures;status;constructor(n,o="failed",r){let t=Array.isArray(n)?n:[n];super(t.map(d).join(`
`),r),this.name="FailureError",this.failures=t,this.status=o}};function s(e){return e.trim().replace(/[.\s]+$/,"")}function d(e){let n=[e.logicalId===void 0?void 0:e.logicalId,e.account===void 0?void 0:`account ${e.account}`,e.region,e.resource!==void 0&&!e.cause.includes(e.resource)?e.resource:void 0].filter(t=>t!==void 0),o=s(e.cause).replace(/\s*\n\s*/g," "),r=n.length>0?` (${n.join(", ")})`:"";return`${o}${r}.${e.hint===void 0?"":` ${s(e.hint)}.`}`}


/***/ }),

/***/ 192:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  a: () => (/* binding */ pt),
  b: () => (/* binding */ de),
  c: () => (/* binding */ ft)
});

// EXTERNAL MODULE: external "node:module"
var external_node_module_ = __nccwpck_require__(8995);
// EXTERNAL MODULE: ./build/esm/chunk-SJ7NPCZ6.mjs
var chunk_SJ7NPCZ6 = __nccwpck_require__(9502);
// EXTERNAL MODULE: ./build/esm/chunk-A7K7NGA4.mjs
var chunk_A7K7NGA4 = __nccwpck_require__(6713);
// EXTERNAL MODULE: ./build/esm/chunk-BL2UIEON.mjs
var chunk_BL2UIEON = __nccwpck_require__(7641);
// EXTERNAL MODULE: external "os"
var external_os_ = __nccwpck_require__(857);
;// CONCATENATED MODULE: external "crypto"
const external_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("crypto");
// EXTERNAL MODULE: external "fs"
var external_fs_ = __nccwpck_require__(9896);
// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __nccwpck_require__(8500);
;// CONCATENATED MODULE: ./build/esm/chunk-MJGHKTKN.mjs
const chunk_MJGHKTKN_require=(0,external_node_module_.createRequire)(import.meta.url);
function m(e){return e==null?"":typeof e=="string"||e instanceof String?e:JSON.stringify(e)}function v(e){return Object.keys(e).length?{title:e.title,file:e.file,line:e.startLine,endLine:e.endLine,col:e.startColumn,endColumn:e.endColumn}:{}}function g(e,t,n){let r=new C(e,t,n);process.stdout.write(r.toString()+external_os_.EOL)}function U(e,t=""){g(e,{},t)}var B="::",C=class{constructor(t,n,r){t||(t="missing.command"),this.command=t,this.properties=n,this.message=r}toString(){let t=B+this.command;if(this.properties&&Object.keys(this.properties).length>0){t+=" ";let n=!0;for(let r in this.properties)if(this.properties.hasOwnProperty(r)){let o=this.properties[r];o&&(n?n=!1:t+=",",t+=`${r}=${he(o)}`)}}return t+=`${B}${ge(this.message)}`,t}};function ge(e){return m(e).replace(/%/g,"%25").replace(/\r/g,"%0D").replace(/\n/g,"%0A")}function he(e){return m(e).replace(/%/g,"%25").replace(/\r/g,"%0D").replace(/\n/g,"%0A").replace(/:/g,"%3A").replace(/,/g,"%2C")}function V(e,t){let n=process.env[`GITHUB_${e}`];if(!n)throw new Error(`Unable to find environment variable for file command ${e}`);if(!external_fs_.existsSync(n))throw new Error(`Missing file at path: ${n}`);external_fs_.appendFileSync(n,`${m(t)}${external_os_.EOL}`,{encoding:"utf8"})}function z(e,t){let n=`ghadelimiter_${external_crypto_namespaceObject.randomUUID()}`,r=m(t);if(e.includes(n))throw new Error(`Unexpected input: name should not contain the delimiter "${n}"`);if(r.includes(n))throw new Error(`Unexpected input: value should not contain the delimiter "${n}"`);return`${e}<<${n}${external_os_.EOL}${r}${external_os_.EOL}${n}`}var J;(function(e){e[e.Success=0]="Success",e[e.Failure=1]="Failure"})(J||(J={}));function K(e){g("add-mask",{},e)}function W(e,t){if(process.env.GITHUB_OUTPUT||"")return V("OUTPUT",z(e,t));process.stdout.write(external_os_.EOL),g("set-output",{name:e},m(t))}function Y(e){g("debug",{},e)}function q(e,t={}){g("error",v(t),e instanceof Error?e.toString():e)}function Z(e,t={}){g("warning",v(t),e instanceof Error?e.toString():e)}function Q(e,t={}){g("notice",v(t),e instanceof Error?e.toString():e)}function P(e){process.stdout.write(e+external_os_.EOL)}function X(e){U("group",e)}function ee(){U("endgroup")}var te={now:()=>Date.now(),async sleep(e,t){t?.throwIfAborted();try{await (0,promises_.setTimeout)(e,void 0,t===void 0?{}:{signal:t})}catch(n){throw t?.throwIfAborted(),n}}};function ne({signals:e,exit:t,report:n}){let r=new AbortController,o={signal:r.signal,operation:void 0,onCancel:"detach"},s=!1,p=(a,f)=>{if(s)return;s=!0;let{operation:u,onCancel:y}=o,i=y==="stop"?u?.stop:void 0;n(a,u,i!==void 0);let c=()=>{r.abort(new Error(`cancelled by ${a}`)),t(f)};if(i===void 0)return c();let{promise:d,resolve:h}=Promise.withResolvers(),me=setTimeout(h,1500);Promise.race([i().catch(()=>{}),d]).then(()=>{clearTimeout(me),c()})};return e.on("SIGINT",()=>p("SIGINT",130)),e.on("SIGTERM",()=>p("SIGTERM",143)),o}function re(e){let t=s=>e[s]??"",n=t("GITHUB_SERVER_URL")||"https://github.com",r=t("GITHUB_REPOSITORY"),o=t("GITHUB_RUN_ID");return{repository:r,repositoryId:t("GITHUB_REPOSITORY_ID"),runId:o,runAttempt:Number(t("GITHUB_RUN_ATTEMPT")||"1"),job:t("GITHUB_JOB"),sha:t("GITHUB_SHA"),ref:t("GITHUB_REF"),actor:t("GITHUB_ACTOR"),workflow:t("GITHUB_WORKFLOW"),eventName:t("GITHUB_EVENT_NAME"),runUrl:r!==""&&o!==""?`${n}/${r}/actions/runs/${o}`:"",apiUrl:t("GITHUB_API_URL")||"https://api.github.com",workspace:t("GITHUB_WORKSPACE")||"."}}var l=class extends Error{},ye=/^(?:us(?:-gov|-iso[a-z]?)?|[a-z]{2}(?:-iso[a-z]?)?|mx)-(?:[a-z]+)-\d{1,2}$/,oe=/^arn:aws(?:-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,Ie=/^arn:aws(?:-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12})?:.+$/;function I(e,t){return n=>{if(!e.test(n))throw new l(`is ${x(n)}, but must be ${t}`);return n}}function E(e,t,n,r){let o=/^\d{1,9}$/.test(e)?Number(e):Number.NaN;if(!(o>=t&&o<=n))throw new l(`is ${x(e)}, but must be a whole number${r} from ${t} to ${n}`);return o}function x(e){return JSON.stringify(e.length>100?`${e.slice(0,100)}...`:e)}function xe(e,t){if(t.includes(e))return e;throw new l(`is ${x(e)}, but must be one of ${t.join(", ")}${(0,chunk_SJ7NPCZ6.b)(e,t)}`)}async function se(e){let{readYaml:t}=await Promise.all(/* import() */[__nccwpck_require__.e(3), __nccwpck_require__.e(896)]).then(__nccwpck_require__.bind(__nccwpck_require__, 6896));try{return t(e)}catch(n){throw new l(`is no valid YAML or JSON: ${n.message.split(`
`)[0]}`)}}async function Te(e){let t=await se(e);if(t===null||typeof t!="object"||Array.isArray(t))throw new l("must be a YAML or JSON mapping of names to values, one `name: value` per line");let n={};for(let[r,o]of Object.entries(t)){if(o===null||typeof o=="object")throw new l(`gives ${x(r)} no plain value; write text, a number, true or false`);n[r]=String(o)}return n}async function ie(e){if(/^\s*\[/.test(e)||/^\s*-\s/m.test(e)){let t=await se(e);if(!Array.isArray(t)||t.some(n=>n===null||typeof n=="object"))throw new l("must be a list of plain values, one per line or as a YAML or JSON list");return t.map(String)}return e.split(/[\n,]/).map(t=>t.trim()).filter(t=>t!=="")}var $e={text:e=>e,file:e=>e,boolean:e=>{if(/^(true|True|TRUE)$/.test(e))return!0;if(/^(false|False|FALSE)$/.test(e))return!1;throw new l(`is ${x(e)}, but must be true or false`)},region:I(ye,"an AWS region such as eu-west-1"),account:I(/^\d{12}$/,"a twelve-digit AWS account id"),"role-arn":I(oe,"the ARN of an IAM role, arn:aws:iam::ACCOUNT:role/NAME"),"role-arns":async e=>{let t=await ie(e);for(let n of t)I(oe,"a list of role ARNs, arn:aws:iam::ACCOUNT:role/NAME")(n);return t},arn:I(Ie,"an ARN"),name:I(/^[A-Za-z0-9](-*[A-Za-z0-9]){0,62}$/,"letters, digits and single hyphens, at most 63"),minutes:e=>E(e,1,43200," of minutes"),seconds:e=>E(e,1,43200," of seconds"),integer:e=>E(e,0,1e6,""),percentage:e=>E(e.replace(/\s*%$/,""),0,100," of percent"),mapping:Te,list:ie};async function ae(e,t){return typeof e=="string"?$e[e](t):xe(t,e.choice)}function ce(e){return`INPUT_${e.replace(/ /g,"_").toUpperCase()}`}function R(e,t){return{code:"InvalidInput",resource:e,cause:`Input \`${e}\` ${t}`}}async function N(e,t,n=[]){let r=[...Object.keys(e),...n],o=[],s={};for(let[a,f]of Object.entries(e)){let u=(t[ce(a)]??"").trim(),y=u===""?f.default??"":u;if(y===""){f.required&&o.push(R(a,"is required and was not given")),s[a]=void 0;continue}try{s[a]=await ae(f.kind,y)}catch(i){if(!(i instanceof l))throw i;o.push(R(a,i.message))}}let p=new Set(r.map(ce));for(let[a,f]of Object.entries(t)){if(!a.startsWith("INPUT_")||p.has(a)||(f??"").trim()==="")continue;let u=a.slice(6).toLowerCase();(0,chunk_SJ7NPCZ6.a)(u,r)!==void 0&&o.push(R(u,`is not known to this action${(0,chunk_SJ7NPCZ6.b)(u,r)}`))}if(o.length>0)throw new chunk_BL2UIEON.a(o);return s}function ve(e){return e.replace(Se,"").replace(new RegExp("\\p{Cc}","gu")," ").replaceAll("##[","## [")}var Se=new RegExp("\x1B\\[[0-9;]*[A-Za-z]","g");function ue(){let e=t=>t===void 0?{}:{title:t};return{debug:Y,info:P,foreign:t=>P(`| ${ve(t)}`),notice:(t,n)=>Q(t,e(n)),warn:(t,n)=>Z(t,e(n)),error:(t,n)=>q(t,e(n)),async group(t,n){X(t);try{return await n()}finally{ee()}}}}function le(e){let t=new Set,n=new Map;return{values:n,mask(r){r.length<8||(t.add(r),e.setSecret(r))},set(r,o){for(let s of t)if(o.includes(s))throw new Error(`Output ${r} would hold a masked value; GitHub would drop it.`);n.set(r,o),e.setOutput(r,o)}}}var k=10,be=50;function pe(e){return e instanceof chunk_BL2UIEON.a?e.failures:[{code:"InternalError",cause:`Unexpected error: ${e instanceof Error?e.message:String(e)}`,hint:"This is a defect; re-run with debug logging for the stack and report it"}]}function fe(e,t){let n=t.slice(0,be).map(r=>({...r,...r.logTail===void 0?{}:{logTail:r.logTail.slice(-40).map(o=>o.slice(0,500))}}));return JSON.stringify({action:e,total:t.length,failures:n})}function Ee(e){return e.code.startsWith("Invalid")&&e.account===void 0}function F(e,t,n){if(t.every(Ee)){n.error(t.map(chunk_BL2UIEON.b).join(`
`),`${e}: ${t[0]?.code??"InvalidInput"}`);return}t.slice(0,k).forEach(r=>{n.error((0,chunk_BL2UIEON.b)(r),`${e}: ${r.code}`)}),t.length>k&&n.info(`${t.length-k} more failures are in the summary and in the output failure.`)}function G(e,t,n){for(let o of[...t].reverse())if(o.logTail&&o.logTail.length>0){let s="`".repeat(8);n.top(`<details open><summary>Last lines of the log of ${(0,chunk_A7K7NGA4.d)(o.logicalId??o.resource??e)}</summary>

${s}text
${o.logTail.join(`
`).replaceAll(s,"")}
${s}

</details>`)}let r=t.map(o=>[(0,chunk_A7K7NGA4.e)(o.code),o.account??"",o.region??"",[o.logicalId,o.resource].filter(s=>s!==void 0).map(chunk_A7K7NGA4.e).join(" "),(0,chunk_A7K7NGA4.d)(o.cause),[o.hint===void 0?"":(0,chunk_A7K7NGA4.d)(o.hint),o.console?`[console](${o.console})`:""].filter(s=>s!=="").join(" ")].join(" | "));n.top([`## \u274C ${e} failed`,"","| code | account | region | resource | cause | what to do |","| --- | --- | --- | --- | --- | --- |",...r.map(o=>`| ${o} |`)].join(`
`))}function pt(e,t,n){return{name:e,inputs:t,load:n}}function Ae(e,t,n){return t===void 0?{code:"Cancelled",cause:`Cancelled (${e}) before anything was started`,hint:"Re-run this job"}:{code:"Cancelled",resource:t.resource,cause:`Cancelled (${e}): ${t.describe()}`,hint:n?"It is being stopped, as on-cancel says":`It goes on; to go on here, ${t.resume}`}}async function de({name:e,inputs:t,load:n},r=process.env,o=[]){let s=ue(),p=le({setOutput:W,setSecret:K}),a=(0,chunk_A7K7NGA4.f)(r.GITHUB_STEP_SUMMARY,i=>s.warn(i)),f=(i,c)=>{p.set("status",i),p.set("failure",c.length===0?"":fe(e,c)),a.write()},u=ne({signals:process,exit:i=>process.exit(i),report(i,c,d){let h=Ae(i,c,d);F(e,[h],s),G(e,[h],a),f(c===void 0||d?"failed":"still-running",[h])}}),y={env:r,context:re(r),logger:s,summary:a,clock:te,signal:u.signal,output:p.set,mask:p.mask,idToken:i=>(0,chunk_A7K7NGA4.b)({env:r,audience:i,mask:p.mask}),operation:i=>{u.operation=i}};try{let i=await N(t,r,o);u.onCancel=i["on-cancel"];let{run:c}=await n();f(await c(i,y),[])}catch(i){if(process.exitCode=1,u.signal.aborted)return;let c=pe(i);F(e,c,s),!(i instanceof chunk_BL2UIEON.a)&&i instanceof Error&&s.debug(i.stack??i.message);for(let{logTail:d,logicalId:h}of c)d&&d.length>0&&await s.group(`Last lines of the log of ${h??e}`,async()=>d.forEach(s.foreign));G(e,c,a),f(i instanceof chunk_BL2UIEON.a?i.status:"failed",c)}}async function ft(e,t=process.env){let n={kind:{choice:Object.keys(e)},required:!0},r;try{({command:r}=await N({command:n},{INPUT_COMMAND:t.INPUT_COMMAND}))}catch(s){return de({name:"sagemaker-mlops",inputs:{},load:async()=>({run:()=>Promise.reject(s)})},t)}let o=e[r];return de((await o()).default,t,["command"])}


/***/ }),

/***/ 9502:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ l),
/* harmony export */   b: () => (/* binding */ f)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(8995);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
function g(n,e){let r=[Array.from({length:e.length+1},(t,i)=>i)];for(let t=1;t<=n.length;t+=1){let i=[t];for(let o=1;o<=e.length;o+=1){let a=n[t-1]===e[o-1]?0:1,s=Math.min(r[t-1][o]+1,i[o-1]+1,r[t-1][o-1]+a);t>1&&o>1&&n[t-1]===e[o-2]&&n[t-2]===e[o-1]&&(s=Math.min(s,r[t-2][o-2]+1)),i.push(s)}r.push(i)}return r[n.length][e.length]}function l(n,e){let r=Math.max(1,Math.floor(n.length/4));return e.map(t=>({candidate:t,far:g(n.toLowerCase(),t.toLowerCase())})).filter(({far:t})=>t<=r).sort((t,i)=>t.far-i.far)[0]?.candidate}function f(n,e){let r=l(n,e);return r===void 0?"":` (did you mean ${r}?)`}


/***/ }),

/***/ 9988:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ m),
/* harmony export */   b: () => (/* binding */ n),
/* harmony export */   c: () => (/* binding */ o),
/* harmony export */   d: () => (/* binding */ p),
/* harmony export */   e: () => (/* binding */ q),
/* harmony export */   f: () => (/* binding */ r)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(8995);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var h=Object.create;var f=Object.defineProperty;var i=Object.getOwnPropertyDescriptor;var j=Object.getOwnPropertyNames;var k=Object.getPrototypeOf,l=Object.prototype.hasOwnProperty;var m=(a=>typeof require<"u"?require:typeof Proxy<"u"?new Proxy(a,{get:(b,c)=>(typeof require<"u"?require:b)[c]}):a)(function(a){if(typeof require<"u")return require.apply(this,arguments);throw Error('Dynamic require of "'+a+'" is not supported')});var n=(a,b,c)=>()=>{if(c)throw c[0];try{return a&&(b=a(a=0)),b}catch(d){throw c=[d],d}};var o=(a,b)=>()=>{try{return b||a((b={exports:{}}).exports,b),b.exports}catch(c){throw b=0,c}},p=(a,b)=>{for(var c in b)f(a,c,{get:b[c],enumerable:!0})},g=(a,b,c,d)=>{if(b&&typeof b=="object"||typeof b=="function")for(let e of j(b))!l.call(a,e)&&e!==c&&f(a,e,{get:()=>b[e],enumerable:!(d=i(b,e))||d.enumerable});return a};var q=(a,b,c)=>(c=a!=null?h(k(a)):{},g(b||!a||!a.__esModule?f(c,"default",{value:a,enumerable:!0}):c,a)),r=a=>g(f({},"__esModule",{value:!0}),a);


/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/******/ // expose the modules object (__webpack_modules__)
/******/ __nccwpck_require__.m = __webpack_modules__;
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/create fake namespace object */
/******/ (() => {
/******/ 	var getProto = Object.getPrototypeOf ? (obj) => (Object.getPrototypeOf(obj)) : (obj) => (obj.__proto__);
/******/ 	var leafPrototypes;
/******/ 	// create a fake namespace object
/******/ 	// mode & 1: value is a module id, require it
/******/ 	// mode & 2: merge all properties of value into the ns
/******/ 	// mode & 4: return value when already ns object
/******/ 	// mode & 16: return value when it's Promise-like
/******/ 	// mode & 8|1: behave like require
/******/ 	__nccwpck_require__.t = function(value, mode) {
/******/ 		if(mode & 1) value = this(value);
/******/ 		if(mode & 8) return value;
/******/ 		if(typeof value === 'object' && value) {
/******/ 			if((mode & 4) && value.__esModule) return value;
/******/ 			if((mode & 16) && typeof value.then === 'function') return value;
/******/ 		}
/******/ 		var ns = Object.create(null);
/******/ 		__nccwpck_require__.r(ns);
/******/ 		var def = {};
/******/ 		leafPrototypes = leafPrototypes || [null, getProto({}), getProto([]), getProto(getProto)];
/******/ 		for(var current = mode & 2 && value; typeof current == 'object' && !~leafPrototypes.indexOf(current); current = getProto(current)) {
/******/ 			Object.getOwnPropertyNames(current).forEach((key) => (def[key] = () => (value[key])));
/******/ 		}
/******/ 		def['default'] = () => (value);
/******/ 		__nccwpck_require__.d(ns, def);
/******/ 		return ns;
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/ensure chunk */
/******/ (() => {
/******/ 	__nccwpck_require__.f = {};
/******/ 	// This file contains only the entry chunk.
/******/ 	// The chunk loading function for additional chunks
/******/ 	__nccwpck_require__.e = (chunkId) => {
/******/ 		return Promise.all(Object.keys(__nccwpck_require__.f).reduce((promises, key) => {
/******/ 			__nccwpck_require__.f[key](chunkId, promises);
/******/ 			return promises;
/******/ 		}, []));
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/get javascript chunk filename */
/******/ (() => {
/******/ 	// This function allow to reference async chunks
/******/ 	__nccwpck_require__.u = (chunkId) => {
/******/ 		// return url for filenames based on template
/******/ 		return "" + chunkId + ".index.mjs";
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/******/ /* webpack/runtime/make namespace object */
/******/ (() => {
/******/ 	// define __esModule on exports
/******/ 	__nccwpck_require__.r = (exports) => {
/******/ 		if(typeof Symbol !== 'undefined' && Symbol.toStringTag) {
/******/ 			Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
/******/ 		}
/******/ 		Object.defineProperty(exports, '__esModule', { value: true });
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/import chunk loading */
/******/ (() => {
/******/ 	// no baseURI
/******/ 	
/******/ 	// object to store loaded and loading chunks
/******/ 	// undefined = chunk not loaded, null = chunk preloaded/prefetched
/******/ 	// [resolve, Promise] = chunk loading, 0 = chunk loaded
/******/ 	var installedChunks = {
/******/ 		792: 0
/******/ 	};
/******/ 	
/******/ 	var installChunk = (data) => {
/******/ 		var {ids, modules, runtime} = data;
/******/ 		// add "modules" to the modules object,
/******/ 		// then flag all "ids" as loaded and fire callback
/******/ 		var moduleId, chunkId, i = 0;
/******/ 		for(moduleId in modules) {
/******/ 			if(__nccwpck_require__.o(modules, moduleId)) {
/******/ 				__nccwpck_require__.m[moduleId] = modules[moduleId];
/******/ 			}
/******/ 		}
/******/ 		if(runtime) runtime(__nccwpck_require__);
/******/ 		for(;i < ids.length; i++) {
/******/ 			chunkId = ids[i];
/******/ 			if(__nccwpck_require__.o(installedChunks, chunkId) && installedChunks[chunkId]) {
/******/ 				installedChunks[chunkId][0]();
/******/ 			}
/******/ 			installedChunks[ids[i]] = 0;
/******/ 		}
/******/ 	
/******/ 	}
/******/ 	
/******/ 	__nccwpck_require__.f.j = (chunkId, promises) => {
/******/ 			// import() chunk loading for javascript
/******/ 			var installedChunkData = __nccwpck_require__.o(installedChunks, chunkId) ? installedChunks[chunkId] : undefined;
/******/ 			if(installedChunkData !== 0) { // 0 means "already installed".
/******/ 	
/******/ 				// a Promise means "currently loading".
/******/ 				if(installedChunkData) {
/******/ 					promises.push(installedChunkData[1]);
/******/ 				} else {
/******/ 					if(true) { // all chunks have JS
/******/ 						// setup Promise in chunk cache
/******/ 						var promise = import("./" + __nccwpck_require__.u(chunkId)).then(installChunk, (e) => {
/******/ 							if(installedChunks[chunkId] !== 0) installedChunks[chunkId] = undefined;
/******/ 							throw e;
/******/ 						});
/******/ 						var promise = Promise.race([promise, new Promise((resolve) => (installedChunkData = installedChunks[chunkId] = [resolve]))])
/******/ 						promises.push(installedChunkData[1] = promise);
/******/ 					}
/******/ 				}
/******/ 			}
/******/ 	};
/******/ 	
/******/ 	// no prefetching
/******/ 	
/******/ 	// no preloaded
/******/ 	
/******/ 	// no external install chunk
/******/ 	
/******/ 	// no on chunks loaded
/******/ })();
/******/ 
/************************************************************************/
var __webpack_exports__ = {};
/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ p)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(8995);
/* harmony import */ var _chunk_MJGHKTKN_mjs__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(192);
/* harmony import */ var _chunk_SJ7NPCZ6_mjs__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(9502);
/* harmony import */ var _chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(6713);
/* harmony import */ var _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(7641);
/* harmony import */ var _chunk_TG76KETQ_mjs__WEBPACK_IMPORTED_MODULE_5__ = __nccwpck_require__(9988);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var e={"approve-model":()=>__nccwpck_require__.e(/* import() */ 917).then(__nccwpck_require__.bind(__nccwpck_require__, 1917)),cleanup:()=>__nccwpck_require__.e(/* import() */ 31).then(__nccwpck_require__.bind(__nccwpck_require__, 2031)),"deploy-stack-set":()=>__nccwpck_require__.e(/* import() */ 981).then(__nccwpck_require__.bind(__nccwpck_require__, 8981)),"gate-model":()=>__nccwpck_require__.e(/* import() */ 886).then(__nccwpck_require__.bind(__nccwpck_require__, 1886)),"resolve-model":()=>__nccwpck_require__.e(/* import() */ 9).then(__nccwpck_require__.bind(__nccwpck_require__, 9009)),"run-pipeline":()=>__nccwpck_require__.e(/* import() */ 564).then(__nccwpck_require__.bind(__nccwpck_require__, 4564)),"test-endpoint":()=>__nccwpck_require__.e(/* import() */ 572).then(__nccwpck_require__.bind(__nccwpck_require__, 8572))};async function p(t){return t===void 0?(0,_chunk_MJGHKTKN_mjs__WEBPACK_IMPORTED_MODULE_1__.c)(e):(0,_chunk_MJGHKTKN_mjs__WEBPACK_IMPORTED_MODULE_1__.b)((await e[t]()).default)}

var __webpack_exports__start = __webpack_exports__.n;
export { __webpack_exports__start as start };
